/* A stored generator in a page: <div class="live" data-generator="dcgan-mnist" data-source="…/dcgan-mnist.js">.

   Numbers: networks.js; chance: chance.js. */
"use strict"

;(() => {
  const {lerp, noise, norm, ready, slerp} = ganLessons.networks, {arrive, make, paint} = ganLessons.pieces
  const COUNT = 16

  function piece(root, number) {
    const id = name => `live-generator-${number}-${name}`
    let generator, seed = 1, noises = [], ends = [0, 1]

    const says = make("p", {role: "status"})
    const cells = Array.from({length: COUNT}, (_, k) => {
      const canvas = make("canvas")
      return {canvas, says: make("span", {class: "live-opinion"}), button: make("button", {type: "button", "aria-label": `Sample ${k + 1}`, onclick: () => choose(k)}, canvas)}
    })
    const middle = make("canvas", {role: "img", "aria-label": "No image yet: the weights are on their way"})
    const slider = make("input", {type: "range", id: id("t"), min: 0, max: 1, step: 0.01, value: 0.5, autocomplete: "off", oninput: () => walk()})
    slider.addEventListener("keydown", event => event.stopPropagation())
    const opinions = make("p", {class: "live-key", hidden: true}, "Below each: the probability that the D of the same game gives to its being real.")
    const share = make("output", {for: id("t")}), length = make("p", {})
    const ways = ["straight", "along the sphere"].map((words, k) =>
      make("label", {}, make("input", {type: "radio", name: id("way"), value: k, autocomplete: "off", onchange: () => walk(), ...(k === 1 ? {checked: ""} : {})}), words))
    const file = make("input", {type: "file", id: id("file"), accept: ".js", onchange: () => open()})
    const panel = make("div", {class: "live-panel"}, says,
      make("div", {class: "live-game"},
        make("div", {}, make("div", {class: "live-samples", role: "group", "aria-label": "Sixteen samples; two are the ends of the walk"}, ...cells.map(cell => make("div", {}, cell.button, cell.says))),
          opinions,
          make("div", {class: "live-row"}, make("button", {type: "button", onclick: () => { seed++; fresh() }}, "New noise"))),
        make("div", {class: "live-walk"}, middle,
          make("div", {class: "live-slider"}, make("label", {for: id("t")}, "From one to the other"), slider, share),
          make("fieldset", {}, make("legend", {}, "The way between the two z"), ...ways), length,
          make("details", {}, make("summary", {}, "A generator of your own"),
            make("p", {}, "Write it with python -m gan_lessons export FOLDER/NAME, and open that file here. It stays on this machine."),
            make("label", {for: id("file")}, "File"), file))))

    function fresh() {
      const chance = liveChance.random(seed)
      noises = cells.map(() => noise(generator.prior, chance))
      cells.forEach((cell, k) => {
        const [pixels] = paint(cell.canvas, generator, noises[k])
        cell.says.textContent = generator.believed ? generator.believed(pixels).toFixed(2) : ""
      })
      opinions.hidden = !generator.believed
      walk()
    }

    /** A sample becomes an end of the walk, in place of the older one. */
    function choose(k) {
      if (!generator || k === ends[1]) return
      ends = [ends[1], k]
      walk()
    }

    function walk() {
      if (!generator) return
      const t = +slider.value, [from, to] = ends, round = +root.querySelector(`input[name="${id("way")}"]:checked`).value
      const z = (round ? slerp : lerp)(noises[from], noises[to], t)
      const [pixels] = paint(middle, generator, z)
      share.textContent = t.toFixed(2)
      slider.setAttribute("aria-valuetext", `${t.toFixed(2)} of the way from sample ${from + 1} to sample ${to + 1}`)
      middle.setAttribute("aria-label", `The image at ${t.toFixed(2)} of the way from sample ${from + 1} to sample ${to + 1}`)
      length.textContent = `Length of z: ${norm(z).toFixed(1)}; of the two ends: ${norm(noises[from]).toFixed(1)} and ${norm(noises[to]).toFixed(1)}.` +
        (generator.believed ? ` D says ${generator.believed(pixels).toFixed(2)}.` : "")
      cells.forEach((cell, k) => cell.button.setAttribute("aria-pressed", ends.includes(k)))
    }

    function start(facts) {
      try {
        generator = ready(facts)
        says.textContent = `${generator.name} draws in this page. Choose two samples, and walk from one to the other.`
        fresh()
      } catch (error) {
        says.textContent = `This generator cannot be read: ${error.message}`
      }
    }

    async function open() {
      const [chosen] = file.files
      if (!chosen) return
      const text = await chosen.text()
      try {
        start(JSON.parse(text.slice(text.indexOf(" = ") + 3)))
      } catch {
        says.textContent = `${chosen.name} is no script that python -m gan_lessons export has written.`
      }
    }

    arrive(root, panel, says, start)
  }

  document.querySelectorAll('.live[data-generator]:not([data-live="writer"])').forEach(piece)
})()

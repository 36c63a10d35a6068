/* A number by hand: <div class="live" data-live="writer" data-generator="cdcgan-mnist" data-source="….js">.

   The generator takes a label beside its noise, so it writes what is typed. Numbers: networks.js; chance: chance.js. */
"use strict"

;(() => {
  const {noise, ready, steered, told} = ganLessons.networks, {arrive, make, paint} = ganLessons.pieces
  const MOST = 12, FIRST = "0123456789", REACH = 3
  const WAYS = {slant: ["Slant", "to the left", "to the right"], thickness: ["Thickness", "thinner", "thicker"]}

  function piece(root, number) {
    const id = name => `live-writer-${number}-${name}`
    let generator, seed = 1, noises = [], waiting = false

    const says = make("p", {role: "status"})
    const text = make("input", {type: "text", id: id("text"), inputmode: "numeric", maxlength: MOST, value: FIRST, autocomplete: "off", spellcheck: "false", oninput: () => typed()})
    const canvas = make("canvas", {role: "img", "aria-label": "Nothing is written yet"})
    const sliders = Object.entries(WAYS).map(([name, [words]]) => {
      const slider = make("input", {type: "range", id: id(name), min: -REACH, max: REACH, step: 0.1, value: 0, autocomplete: "off", oninput: () => soon()})
      const value = make("output", {for: id(name)})
      return {name, slider, value, row: make("div", {class: "live-slider"}, make("label", {for: id(name)}, words), slider, value)}
    })
    for (const element of [text, ...sliders.map(each => each.slider)]) {
      element.addEventListener("keydown", event => { event.stopPropagation(); if (event.key === "Enter") anew() })
    }
    const panel = make("div", {class: "live-panel"},
      make("div", {class: "live-row"}, make("label", {for: id("text")}, "Type a number"), text,
        make("button", {type: "button", onclick: () => anew()}, "Write it anew")),
      make("div", {class: "live-written"}, canvas), ...sliders.map(each => each.row), says)

    function anew() {
      if (!generator) return
      const chance = liveChance.random(++seed), plain = {...generator.prior, classes: 0}
      noises = Array.from({length: MOST}, () => noise(plain, chance))
      write()
    }

    function typed() {
      const digits = text.value.replace(/[^0-9]/g, "").slice(0, MOST)
      says.textContent = digits === text.value ? "" : "It was shown the digits 0 to 9, and knows nothing else."
      text.value = digits
      soon()
    }

    /** Write once in a frame, however often a slider moves in it. */
    function soon() {
      if (waiting) return
      waiting = true
      requestAnimationFrame(() => { waiting = false; write() })
    }

    function write() {
      if (!generator) return
      const values = Object.fromEntries(sliders.map(({name, slider}) => [name, +slider.value]))
      const ways = generator.directions ?? {}, digits = [...text.value].map(Number)
      paint(canvas, generator, ...digits.map((digit, k) => told(steered(noises[k], ways, values), digit, generator.prior.classes)))
      canvas.setAttribute("aria-label", digits.length ? `${text.value}, written by the generator` : "Nothing is written yet")
      for (const {name, slider, value} of sliders) {
        const [, less, more] = WAYS[name], at = values[name]
        value.textContent = at.toFixed(1)
        slider.setAttribute("aria-valuetext", at === 0 ? "as usual" : `${Math.abs(at).toFixed(1)} ${at < 0 ? less : more}`)
      }
    }

    function start(facts) {
      try {
        generator = ready(facts)
        says.textContent = ""
        seed--
        anew()
      } catch (error) {
        says.textContent = `This generator cannot be read: ${error.message}`
      }
    }

    arrive(root, panel, says, start)
  }

  document.querySelectorAll('.live[data-live="writer"]').forEach(piece)
})()

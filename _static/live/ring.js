/* The ring game in a page: <div class="live" data-live="ring" data-preset="settles">. Its numbers are ring_game.js's.
   The preset says what is played: points on a ring, or (k1, k5, rates) one heap, with chapter 04's words. */
"use strict"

;(() => {
  const COLOURS = {real: "#0072b2", fake: "#d55e00", disc: [0, 158, 115]}
  const SIDE = 384, GROUND = 48, LOOKED = 512, READ = 25, KEPT = 400
  const BASIC = {dSteps: 1, dRate: 2e-3, gRate: 2e-3, r1: 0, saturating: false, deviation: false}

  // What is played in a page, by its preset: the games to choose from, what is forecast of them, and what is measured.
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length
  const count = flags => flags.filter(Boolean).length
  const fixed = (x, places = 2) => (Number.isFinite(x) ? x.toFixed(places).replace("-", "\u2212") : "–")
  const KINDS = {
    ring: {
      presets: {
        settles: {name: "D learns twice as fast as G", dRate: 1e-2, gRate: 5e-3},
        circles: {name: "G learns ten times as fast as D", dRate: 5e-4, gRate: 5e-3},
        collapses: {name: "The saturating loss, and a D that hardly learns", dRate: 3e-5, gRate: 5e-3, saturating: true},
      },
      question: "Your forecast first: how will this game end?",
      forecasts: {settles: "It settles", circles: "It circles", collapses: "It collapses"},
      target: () => ringGame.ring(8, 0.05),
      shapes: {ring: "A ring of eight", grid: "A grid of nine", drawing: "A drawing of my own"},
      view: {x: 0, reach: 1.6},
      rounds: 2000,
      facts: ["Captured modes", "Reverse KL (floor)"],
      key: "Above: captured modes.",
      look: (forged, target) => {
        if (!target.means) return {words: ["a drawing has none to count", "–"], height: NaN}
        const found = ringGame.measures(forged, target), captured = count(found.captured), k = target.means.length
        const served = found.nearest.map(due => due >= forged.length / (4 * k))
        return {words: [`${captured} of ${k}`, `${fixed(found.reverseKL, 3)} (${fixed(found.floor, 3)})`], height: captured / k, captured, served}
      },
      outcome: looks => {
        const half = looks.slice(-Math.floor(looks.length / 2)), k = half[0].served.length
        const served = mean(half.map(look => count(look.served))), ever = count(half[0].served.map((_, m) => half.some(look => look.served[m])))
        const name = served >= 0.85 * k ? "settles" : ever - served >= 0.35 * k ? "circles" : "collapses"
        const ends = {
          settles: "It settles: the forged points are spread over the modes, and stay so.",
          circles: "It circles: G serves a few modes at a time, and goes on to others.",
          collapses: "It collapses: some modes are lost, and stay lost.",
        }
        return {names: [name], words: `${ends[name]} In the second half of ${looks.rounds} rounds, ${fixed(served, 1)} of ${k} modes had half of their ` +
          `due or more at a time, ${ever} at some time; ${fixed(mean(half.map(look => look.captured)), 1)} were captured.`}
      },
    },
    heap: {
      presets: {
        k1: {name: "k = 1, equal rates", saturating: true},
        k5: {name: "k = 5, equal rates", saturating: true, dSteps: 5},
        rates: {name: "k = 1, D learns four times as fast as G", saturating: true, dRate: 8e-3},
      },
      question: "Your forecast first: what will the forgeries do in 1,500 rounds?",
      forecasts: {walk: "The walk", pendulum: "The pendulum", needle: "The needle", none: "None of the three"},
      target: () => ringGame.heaps([[4, 0]], 0.5),
      shapes: {},
      view: {x: 3.4, reach: 4.2},
      sizes: {z: 2, width: 16},
      rounds: 1500,
      facts: ["Their mean", "Width (real heap)"],
      key: "Above, from 0 to 8: how far to the right their mean is; dashed: 4.",
      line: 0.5,
      look: (forged, target) => {
        const [x, y] = [0, 1].map(side => mean([...forged].filter((_, k) => k % 2 === side)))
        const width = Math.sqrt(mean([...forged].map((value, k) => (value - (k % 2 ? y : x)) ** 2)))
        return {words: [`(${fixed(x)}, ${fixed(y)})`, `${fixed(width)} (${fixed(target.std)})`], height: Math.max(0, Math.min(8, x)) / 8, x, y, width}
      },
      outcome: looks => {
        const late = looks.slice(-Math.floor(looks.length / 3)), [x, y, width] = ["x", "y", "width"].map(name => mean(late.map(look => look[name])))
        const [across, up] = [["x", x], ["y", y]].map(([side, middle]) => Math.sqrt(mean(late.map(look => (look[side] - middle) ** 2))))
        const swing = Math.max(across, up)
        const past = Math.max(...looks.map(look => look.x)) - 4
        const ends = {
          walk: [past < 0.2 && Math.hypot(x - 4, y) < 0.5 && swing <= 0.2, "The walk: the heap moved to 4 and stopped there."],
          pendulum: [swing > 0.2, "The pendulum: the heap still swings."],
          needle: [width < 0.15, "The needle: all forgeries are nearly the same."],
        }
        const names = Object.keys(ends).filter(name => ends[name][0])
        const numbers = ` The mean went ${fixed(Math.max(0, past))} past 4 at its farthest. In the last third of ${looks.rounds} rounds it swung by ` +
          `${fixed(across)} sideways and ${fixed(up)} up and down, and the heap was ${fixed(width)} wide; the real one is 0.50.`
        const all = names.map(name => ends[name][1]).join(" ") || "None of the three: it neither walked nor swings on, and no needle is left."
        return {names: names.length ? names : ["none"], words: all + numbers}
      },
    },
  }
  const R1 = [0, 0.01, 0.03, 0.1, 0.3, 1, 3]
  const rate = value => 10 ** value
  const RANGES = [
    ["dSteps", "D's steps a round, k", 1, 5, 1, Number, String],
    ["dRate", "D's rate", -5, -2, 0.05, rate, value => value.toPrecision(2)],
    ["gRate", "G's rate", -5, -2, 0.05, rate, value => value.toPrecision(2)],
    ["r1", "R1, γ", 0, R1.length - 1, 1, k => R1[k], String],
  ]

  /** make("p", {class: "x"}, child, …): an element. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
      else if (value === true) element.setAttribute(name, "")
      else if (value !== false && value !== null) element.setAttribute(name, value)
    }
    element.append(...children)
    return element
  }

  const nearest = (list, value) => list.reduce((best, each, k) => (Math.abs(each - value) < Math.abs(list[best] - value) ? k : best), 0)

  function piece(root, number) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)")
    const id = name => `live-ring-${number}-${name}`
    const kind = Object.values(KINDS).find(({presets}) => root.dataset.preset in presets) ?? KINDS.ring, {view} = kind
    let settings, seed = 1, game, eyes, forged, curve, looks, forecast = null, decided, running = false, visible = false
    let target = kind.target(), pen = null, strokes = [], opinionGrid = null, lastRead = 0

    // --- what stands in the page ---------------------------------------------------------------------------------

    const canvas = make("canvas", {width: SIDE, height: SIDE, role: "img", "aria-label": "The game, not yet played"})
    const lines = make("canvas", {width: 300, height: 150, role: "img", "aria-label": "The curves, not yet played"})
    const names = ["Round", ...kind.facts, "Loss of D, of G"], values = names.map(() => make("dd", {}, "–"))
    const facts = make("dl", {}, ...names.flatMap((name, k) => [make("dt", {}, name), values[k]]))
    const verdict = make("p", {class: "live-verdict", role: "status"})
    const button = (words, onclick, more = {}) => make("button", {type: "button", onclick, ...more}, words)
    const play = button("Play", () => (running ? pause() : begin()), {disabled: true})
    const buttons = make("div", {class: "live-row"}, play,
      button("One round", () => once("round")), button("Only D", () => once("onlyD")), button("Only G", () => once("onlyG")),
      button("Restart", () => { seed++; restart() }))
    const sliders = Object.fromEntries(RANGES.map(([name, words, min, max, step, read, show]) => {
      const output = make("output", {for: id(name)})
      const input = make("input", {type: "range", id: id(name), min, max, step, autocomplete: "off", oninput: () => {
        settings[name] = read(+input.value)
        label()
      }})
      const label = () => { output.textContent = show(settings[name]); input.setAttribute("aria-valuetext", output.textContent) }
      input.addEventListener("keydown", event => event.stopPropagation())
      return [name, {row: make("div", {class: "live-slider"}, make("label", {for: id(name)}, words), input, output), set: () => {
        input.value = name === "r1" ? nearest(R1, settings.r1) : name === "dSteps" ? settings.dSteps : Math.log10(settings[name])
        label()
      }}]
    }))
    const box = (words, name, onchange) => {
      const input = make("input", {type: "checkbox", autocomplete: "off", onchange: () => { settings[name] = input.checked; onchange?.() }})
      return {row: make("label", {}, input, words), set: () => { input.checked = Boolean(settings[name]) }}
    }
    const boxes = [box("saturating loss of G", "saturating"), box("batch deviation (restarts)", "deviation", () => restart())]
    const presets = make("select", {id: id("preset"), autocomplete: "off", onchange: () => choose(presets.value)},
      ...Object.entries(kind.presets).map(([value, {name}]) => make("option", {value}, name)))
    const shapes = make("select", {id: id("shape"), autocomplete: "off", onchange: () => shape(shapes.value)},
      ...Object.entries(kind.shapes).map(([value, words]) => make("option", {value}, words)))
    const help = make("p", {id: id("help"), hidden: true},
      "Draw in the picture with mouse or finger. By keyboard: arrow keys move the pen, the space bar sets a point. Then press “Use the drawing”.")
    const use = button("Use the drawing", () => finish(), {hidden: true})
    const asked = make("fieldset", {}, make("legend", {}, kind.question),
      ...Object.entries(kind.forecasts).map(([value, words]) =>
        make("label", {}, make("input", {type: "radio", name: id("forecast"), value, autocomplete: "off", onchange: () => answer(value)}), words)))
    const curveKey = `${kind.key} Below, from 0 to 3: loss of D (green) and of G (red); dashed: 2 log 2, D's loss when she cannot tell.`
    const key = make("p", {class: "live-key"}, ...[["real", "real points"], ["fake", "forged points"], ["disc", "where D says “real”"]]
      .map(([colour, words]) => make("span", {}, make("span", {class: `swatch ${colour}`}), words)))
    const panel = make("div", {class: "live-panel"},
      make("div", {class: "live-row"}, make("span", {class: "live-pair"}, make("label", {for: id("preset")}, "Game"), presets),
        ...(shapes.length ? [make("span", {class: "live-pair"}, make("label", {for: id("shape")}, "Real points"), shapes)] : [])),
      asked, buttons, verdict, help, use,
      make("div", {class: "live-game"}, make("div", {}, canvas, key), make("div", {}, facts, lines, make("p", {class: "live-key"}, curveKey),
        make("details", {}, make("summary", {}, "Change the rules"), ...RANGES.map(([name]) => sliders[name].row), make("div", {}, ...boxes.map(each => each.row))))))

    // --- the game ------------------------------------------------------------------------------------------------

    function restart() {
      pause()
      game = ringGame.create(target, seed, {...kind.sizes, deviation: settings.deviation})
      eyes = ringGame.random(1000 + seed)
      curve = []
      looks = []
      decided = false
      lastRead = 0
      verdict.textContent = ""
      look()
    }

    function choose(name) {
      settings = {...ringGame.SETTINGS, ...BASIC, ...kind.presets[name]}
      presets.value = name
      for (const slider of Object.values(sliders)) slider.set()
      for (const each of boxes) each.set()
      ask()
      restart()
    }

    /** Ask for the forecast anew. */
    function ask() {
      forecast = null
      play.disabled = true
      for (const radio of asked.querySelectorAll("input")) { radio.checked = false; radio.disabled = false }
    }

    function answer(value) {
      forecast = value
      play.disabled = false
      if (!calm.matches && game.rounds === 0) begin()
    }

    function shape(name) {
      pen = null
      help.hidden = use.hidden = name !== "drawing"
      canvas.toggleAttribute("tabindex", name === "drawing")
      if (name === "drawing") {
        pause()
        strokes = []
        pen = [0, 0]
        canvas.tabIndex = 0
        canvas.setAttribute("role", "application")
        canvas.setAttribute("aria-describedby", id("help"))
        draw()
        return
      }
      canvas.removeAttribute("tabindex")
      canvas.setAttribute("role", "img")
      canvas.removeAttribute("aria-describedby")
      const three = [-1, 0, 1]
      target = name === "ring" ? kind.target() : ringGame.heaps(three.flatMap(x => three.map(y => [x, y])), 0.05)
      ask()
      restart()
    }

    function finish() {
      if (!strokes.length) { verdict.textContent = "Nothing is drawn yet."; return }
      target = ringGame.cloud(strokes, 0.03)
      pen = null
      help.hidden = use.hidden = true
      canvas.removeAttribute("tabindex")
      canvas.setAttribute("role", "img")
      play.disabled = false // a drawing has no modes, so nothing can be forecast of them
      for (const radio of asked.querySelectorAll("input")) radio.disabled = true
      restart()
      play.focus()
    }

    function once(move) {
      if (pen) return
      pause()
      ringGame[move](game, settings)
      look()
    }

    function begin() {
      if (pen) return
      running = true
      play.textContent = "Pause"
      next()
    }

    function pause() {
      running = false
      play.textContent = "Play"
    }

    let asleep = true
    function next() {
      if (asleep && running && visible && !document.hidden) { asleep = false; requestAnimationFrame(frame) }
    }

    /** A frame: as many rounds as fit into twelve milliseconds, then a look. */
    let shown = 0
    function frame(now) {
      asleep = true
      if (!running || !visible || document.hidden || !root.isConnected) return
      const end = performance.now() + 12
      do {
        ringGame.round(game, settings)
        if (game.rounds - lastRead >= READ) read()
      } while (performance.now() < end && running)
      if (!calm.matches || now - shown > 500) { shown = now; look() }
      next()
    }

    /** Measure the game, every READ rounds. */
    function read() {
      lastRead = game.rounds
      forged = ringGame.forge(game, LOOKED, eyes)
      const seen = kind.look(forged, target)
      if (target.means) looks.push(seen)
      curve.push({round: game.rounds, d: game.dLoss, g: game.gLoss, height: seen.height})
      if (curve.length > KEPT) curve.shift()
      if (!Number.isFinite(game.dLoss + game.gLoss)) { pause(); verdict.textContent = "The losses are no numbers any more: the rates are too high. Press Restart." }
      if (target.means && !decided && game.rounds >= kind.rounds) decide()
    }

    /** After so many rounds: what the game did, beside the forecast. */
    function decide() {
      decided = true
      looks.rounds = game.rounds.toLocaleString("en")
      const {names, words} = kind.outcome(looks)
      const judged = forecast === null ? "" : names.includes(forecast) ? " Your forecast was right." : " Your forecast was another."
      root.dataset.outcome = names.join(" ")
      verdict.textContent = words + judged
    }

    // --- what is seen ----------------------------------------------------------------------------------------------

    const right = x => ((x - view.x + view.reach) / (2 * view.reach)) * SIDE, down = y => ((view.reach - y) / (2 * view.reach)) * SIDE
    const dark = () => document.documentElement.dataset.theme === "dark"

    function look() {
      forged = ringGame.forge(game, LOOKED, eyes)
      opinionGrid = ringGame.opinion(game, GRID)
      const {words} = kind.look(forged, target)
      const told = [game.rounds.toLocaleString("en"), ...words, `${fixed(game.dLoss)}, ${fixed(game.gLoss)}`]
      told.forEach((text, k) => { values[k].textContent = text })
      canvas.setAttribute("aria-label", `Round ${game.rounds}: real points, forged points, and D's opinion as ground. ${kind.facts[0]}: ${words[0]}.`)
      draw()
      drawCurve()
    }

    const GRID = new Float64Array(2 * GROUND * GROUND)
    for (let r = 0; r < GROUND; r++) {
      for (let c = 0; c < GROUND; c++) {
        GRID[2 * (r * GROUND + c)] = view.x + (((c + 0.5) / GROUND) * 2 - 1) * view.reach
        GRID[2 * (r * GROUND + c) + 1] = (1 - ((r + 0.5) / GROUND) * 2) * view.reach
      }
    }
    const ground = make("canvas", {width: GROUND, height: GROUND})
    const steady = () => target.sample(LOOKED, ringGame.random(5))

    function draw() {
      const context = canvas.getContext("2d"), paper = dark() ? [18, 18, 18] : [255, 255, 255]
      context.fillStyle = `rgb(${paper})`
      context.fillRect(0, 0, SIDE, SIDE)
      if (pen) return drawStrokes(context)
      const image = new ImageData(GROUND, GROUND)
      opinionGrid.forEach((p, k) => {
        for (let c = 0; c < 3; c++) image.data[4 * k + c] = paper[c] + 0.55 * p * (COLOURS.disc[c] - paper[c])
        image.data[4 * k + 3] = 255
      })
      ground.getContext("2d").putImageData(image, 0, 0)
      context.drawImage(ground, 0, 0, SIDE, SIDE)
      dots(context, steady(), dark() ? "#56b4e9" : COLOURS.real, 1.6)
      dots(context, forged, COLOURS.fake, 1.8)
    }

    function dots(context, points, colour, radius) {
      context.fillStyle = colour
      context.beginPath()
      for (let k = 0; k < points.length; k += 2) {
        const x = right(points[k]), y = down(points[k + 1])
        context.moveTo(x + radius, y)
        context.arc(x, y, radius, 0, 7)
      }
      context.fill()
    }

    function drawStrokes(context) {
      dots(context, strokes.flat(), dark() ? "#56b4e9" : COLOURS.real, 3)
      context.strokeStyle = dark() ? "#fff" : "#000"
      context.strokeRect(right(pen[0]) - 5, down(pen[1]) - 5, 10, 10)
    }

    /** One curve above, both losses below, as the key says. */
    function drawCurve() {
      const context = lines.getContext("2d"), {width, height} = lines, ink = dark() ? "#ddd" : "#333"
      context.clearRect(0, 0, width, height)
      const x = index => (index / (KEPT - 1)) * width
      const curveOf = (name, colour, y) => {
        context.strokeStyle = colour
        context.lineWidth = 1.5
        context.beginPath()
        curve.forEach((point, index) => { if (Number.isFinite(point[name])) context.lineTo(x(index), y(point[name])) })
        context.stroke()
      }
      const loss = value => height - 4 - (Math.min(3, Math.max(0, value)) / 3) * 75
      const above = value => 64 - value * 58
      context.strokeStyle = "#888"
      context.setLineDash([4, 4])
      context.beginPath()
      for (const y of [loss(2 * Math.log(2)), ...(kind.line ? [above(kind.line)] : [])]) {
        context.moveTo(0, y)
        context.lineTo(width, y)
      }
      context.stroke()
      context.setLineDash([])
      curveOf("height", ink, above)
      curveOf("d", "rgb(0, 158, 115)", loss)
      curveOf("g", COLOURS.fake, loss)
      const last = curve[curve.length - 1]
      lines.setAttribute("aria-label", last ? `The curves up to round ${last.round}` : "The curves, not yet played")
    }

    // --- a drawing of one's own --------------------------------------------------------------------------------------

    const place = event => {
      const edges = canvas.getBoundingClientRect()
      const [x, y] = [(event.clientX - edges.left) / edges.width, (event.clientY - edges.top) / edges.height]
      return [view.x + (2 * x - 1) * view.reach, (1 - 2 * y) * view.reach]
    }
    const mark = point => { pen = point; strokes.push(point); draw() }
    canvas.addEventListener("pointerdown", event => { if (pen) { canvas.setPointerCapture(event.pointerId); mark(place(event)); event.preventDefault() } })
    canvas.addEventListener("pointermove", event => { if (pen && event.buttons) mark(place(event)) })
    canvas.addEventListener("keydown", event => {
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key]
      if (!pen || !(way || event.key === " ")) return
      event.preventDefault()
      event.stopPropagation()
      if (way) pen = pen.map((value, k) => Math.max(-view.reach, Math.min(view.reach, value + 0.08 * way[k])))
      else strokes.push([...pen])
      draw()
    })

    // --- begin -------------------------------------------------------------------------------------------------------

    root.querySelector("figure").before(panel)
    root.classList.add("playing")
    canvas.style.touchAction = "pan-y"
    choose(root.dataset.preset in kind.presets ? root.dataset.preset : Object.keys(kind.presets)[0])
    new IntersectionObserver(entries => { visible = entries[entries.length - 1].isIntersecting; next() }).observe(panel)
    document.addEventListener("visibilitychange", next)
    new MutationObserver(() => { draw(); drawCurve() }).observe(document.documentElement, {attributeFilter: ["data-theme"]})
    Object.defineProperty(root, "live", {get: () => ({game, settings, look})}) // for tests, and for the curious at the console
  }

  document.querySelectorAll('.live[data-live="ring"]').forEach(piece)
})()

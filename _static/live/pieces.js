/* What the pieces with a stored generator share: elements, images on a canvas, weights that arrive. */
"use strict"

ganLessons.pieces = (() => {
  /** make("p", {class: "x", onclick: f}, child, …): an element. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
      else if (value !== false && value !== null) element.setAttribute(name, value)
    }
    element.append(...children)
    return element
  }

  /** Paint the images that a generator makes of several z side by side; returns their pixels. */
  function paint(canvas, generator, ...noises) {
    const [channels, height, width] = generator.shape
    canvas.width = width * Math.max(1, noises.length)
    canvas.height = height
    return noises.map((z, k) => {
      const pixels = generator.draw(z), image = new ImageData(width, height)
      for (let place = 0; place < height * width; place++) {
        for (let c = 0; c < 3; c++) image.data[4 * place + c] = Math.round(255 * pixels[place * channels + (channels === 3 ? c : 0)])
        image.data[4 * place + 3] = 255
      }
      canvas.getContext("2d").putImageData(image, k * width, 0)
      return pixels
    })
  }

  /** Show `panel` in the piece `root`, and call start(facts) with its weights, which are asked for when it comes near the
      window; says is the element that tells how far they are. */
  function arrive(root, panel, says, start) {
    const name = root.dataset.generator
    const ask = () => {
      if (ganLessons.generators[name]) return start(ganLessons.generators[name])
      says.textContent = "The weights are on their way …"
      document.head.append(make("script", {
        src: root.dataset.source,
        onload: () => start(ganLessons.generators[name]),
        onerror: () => { says.textContent = "The weights of this generator are not there: build the book again." },
      }))
    }
    root.querySelector("figure").before(panel)
    root.classList.add("playing")
    const near = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) { near.disconnect(); ask() }
    }, {rootMargin: "300px"})
    near.observe(panel)
  }

  return {arrive, make, paint}
})()

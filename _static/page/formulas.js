// Formulas: those in sight are set first, then what stands open, and what lies in a fold when it opens or the page has
// nothing else to do.
// What is wider than its place is set smaller. Runs before MathJax does; without MathJax it only fits.
(() => {
  "use strict"
  const article = document.querySelector(".bd-article")
  if (!article) return

  // --- what is wider than its place is set smaller -----------------------------------------------------------------
  const fit = (formula, room) => {
    const picture = formula.querySelector("svg")
    const width = () => picture ? picture.getBoundingClientRect().width : 0
    if (!room || width() <= room) return
    // letters come in whole pixels: the first guess may be a little too large
    for (let size = Math.floor(99 * room / width()); size > 35; size -= 2) {
      formula.style.fontSize = `${size}%`
      if (width() <= room) break
    }
  }
  const fitAll = (part = article) => {
    const formulas = [...part.querySelectorAll("mjx-container")]
    for (const formula of formulas) formula.style.fontSize = ""
    const rooms = formulas.map(formula => formula.hasAttribute("display") ? formula.clientWidth :
      formula.closest("p, li, dd, h1, h2, h3, h4, figcaption, td, th")?.clientWidth)
    formulas.forEach((formula, k) => fit(formula, rooms[k]))
  }

  // --- one part of the page after the other ------------------------------------------------------------------------
  const FOLD = "details:not([open]) > :not(summary), .deeper-body:not(.ready), .deeper-body[hidden]"
  const AT_ONCE = 12  // formulas, while the reader may want to scroll
  const isRaw = place => !place.querySelector("mjx-container")
  const raw = (part = document) => [...part.querySelectorAll(".math")].filter(isRaw)
  let line = Promise.resolve()
  const typeset = places => {
    if (!window.MathJax?.typesetPromise) return Promise.resolve()
    return line = line.then(() => {
      const left = places.filter(isRaw)
      return left.length ? MathJax.typesetPromise(left) : null
    })
  }
  const show = part => typeset(raw(part)).then(() => fitAll(part))
  const unfold = part => show(part).then(() => dispatchEvent(new Event("resize")))  // the theme asks what scrolls
  const whole = () => typeset(raw()).then(() => fitAll())
  const idle = window.requestIdleCallback ?? (work => setTimeout(work, 50))
  const rest = () => {
    const left = raw().slice(0, AT_ONCE)
    if (left.length) typeset(left).then(() => idle(rest))
  }
  if (window.MathJax && MathJax.startup?.typeset !== false) {
    const pageReady = async () => {
      const open = raw().filter(place => !place.closest(FOLD))
      await typeset(open.filter(place => Math.abs(place.getBoundingClientRect().top) < 2 * innerHeight))
      performance.mark("formulas in sight")
      await new Promise(end => setTimeout(end))  // they are painted, and the page answers
      await typeset(open)
      fitAll()
      idle(rest)
    }
    MathJax.startup = {...MathJax.startup, pageReady}
    addEventListener("beforeprint", () => {
      const left = raw()
      if (left.length && MathJax.typeset) MathJax.typeset(left)
      fitAll()  // those in folds, too: on paper they stand open
    })
  }
  article.addEventListener("toggle", event => event.target.open && unfold(event.target), true)
  let last = innerWidth
  addEventListener("resize", () => { if (innerWidth !== last) { last = innerWidth; fitAll() } })
  window.formulas = {show, unfold, whole}
})()

// What a page does for its reader by itself; without it everything stands open. Plain JavaScript, no library.
(() => {
  "use strict"
  const root = document.documentElement
  const article = document.querySelector(".bd-article")
  if (!article) return

  // --- Deeper sections: closed, until a link, a search, the browser's own search or a press opens them -------------
  const bodies = [...article.querySelectorAll(".deeper-body")]
  const set = (body, open) => {
    open ? body.removeAttribute("hidden") : body.setAttribute("hidden", "until-found")
    body.previousElementSibling.querySelector("button").setAttribute("aria-expanded", open)
    if (open) window.formulas?.unfold(body)
  }
  const fold = body => {
    const heading = body.previousElementSibling
    const button = document.createElement("button")
    body.id = `${body.parentElement.id}-body`
    button.type = "button"
    button.className = "deeper-button"
    button.setAttribute("aria-controls", body.id)
    button.append(...[...heading.childNodes].filter(node => !node.classList?.contains("headerlink")))
    heading.prepend(button)
    button.addEventListener("click", () => set(body, body.hasAttribute("hidden")))
    body.addEventListener("beforematch", () => set(body, true))
    set(body, new URLSearchParams(location.search).has("highlight"))
    body.classList.add("ready")
  }
  const target = hash => hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null
  const openTo = place => {
    const body = place?.closest(".deeper-body") ?? place?.querySelector(":scope > .deeper-body")
    if (!body?.hasAttribute("hidden")) return false
    set(body, true)
    return true
  }

  bodies.forEach(fold)
  if (openTo(target(location.hash))) target(location.hash).scrollIntoView()
  addEventListener("hashchange", () => openTo(target(location.hash)) && target(location.hash).scrollIntoView())
  document.addEventListener("click", event => {
    const link = event.target.closest?.("a[href*='#']")
    if (link && link.pathname === location.pathname) openTo(target(link.hash))
  })

  // --- the contents follow: what is lit stays in sight ---------------------------------------------------------------
  const contents = document.querySelector("#pst-secondary-sidebar")
  const list = contents?.querySelector("nav")
  if (list) {
    const follow = () => {
      const lit = [...list.querySelectorAll("a[aria-current]")].pop()
      if (!lit || contents.scrollHeight <= contents.clientHeight) return
      const box = contents.getBoundingClientRect(), place = lit.getBoundingClientRect()
      if (place.top < box.top + 40 || place.bottom > Math.min(box.bottom, innerHeight) - 40) {
        contents.scrollTop += place.top - box.top - contents.clientHeight / 2
      }
    }
    new MutationObserver(follow).observe(list, {subtree: true, attributes: true, attributeFilter: ["aria-current"]})
    // the theme lights a heading that passes the top; after a jump none has passed
    const headings = [...list.querySelectorAll("a[href^='#']")].map(link => [target(link.hash), link])
    const light = () => {
      const above = headings.filter(([place]) => place && place.checkVisibility() &&
        place.getBoundingClientRect().top < innerHeight * 0.3)
      const now = above.pop()?.[1]
      if (!now || now.hasAttribute("aria-current")) return
      list.querySelectorAll("a[aria-current]").forEach(link => {
        link.classList.remove("active")
        link.removeAttribute("aria-current")
      })
      list.querySelectorAll(".toc-entry").forEach(entry => entry.classList.toggle("active", entry.contains(now)))
      now.classList.add("active")
      now.setAttribute("aria-current", "true")
    }
    addEventListener("scrollend", light)
  }

  // --- a film after a forecast does not show its end first --------------------------------------------------------------
  for (const slider of article.querySelectorAll(".tag_from-the-start .film input")) {
    slider.value = 0
    slider.dispatchEvent(new Event("input"))
  }

  // --- on paper: the light theme, and four pictures of each film -----------------------------------------------------
  let theme = ""
  const strip = film => {
    const [picture, slider] = [film.querySelector("img"), film.querySelector("input")]
    if (!slider || +slider.max < 3) return
    const now = slider.value, box = document.createElement("div")
    box.className = "film-strip"
    for (let k = 0; k < 4; k++) {
      slider.value = Math.round(k / 3 * +slider.max)
      slider.dispatchEvent(new Event("input"))
      const frame = picture.cloneNode(), label = document.createElement("p")
      frame.removeAttribute("width")
      frame.removeAttribute("height")
      frame.style.width = "100%"
      label.textContent = film.querySelector("output").textContent
      const cell = document.createElement("div")
      cell.append(frame, label)
      box.append(cell)
    }
    slider.value = now
    slider.dispatchEvent(new Event("input"))
    film.prepend(box)
  }
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme
    root.dataset.theme = "light"
    article.querySelectorAll(".film:not(:has(.film-strip))").forEach(strip)
  })
  addEventListener("afterprint", () => {
    root.dataset.theme = theme
    article.querySelectorAll(".film-strip").forEach(box => box.remove())
  })
})()

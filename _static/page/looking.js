// A look at what lies elsewhere: previews of links, and pictures at their full size. Plain JavaScript, no library.
(() => {
  "use strict"
  const article = document.querySelector(".bd-article")
  if (!article) return

  // --- previews: what a link leads to, while the mouse or the focus rests on it --------------------------------------
  const box = document.createElement("div")
  box.id = "preview"
  box.setAttribute("role", "tooltip")
  box.hidden = true
  document.body.append(box)
  let timer = 0, shown = null
  const elsewhere = new Map([...document.querySelectorAll("template.preview")].map(one => [one.dataset.for, one]))
  const BLOCK = "figure, div.math, .proof, .citation, table"

  const content = link => {
    if (link.closest(".bibtex-citation") && link.title) {  // the full reference
      const reference = document.createElement("p")
      reference.textContent = link.title
      return reference
    }
    const stored = elsewhere.get(link.getAttribute("href"))
    if (stored) return stored.content.cloneNode(true)
    if (link.pathname !== location.pathname || link.hash.length < 2) return null
    const place = document.getElementById(decodeURIComponent(link.hash.slice(1)))
    const block = place?.closest(BLOCK) ?? place?.querySelector(":scope > h2, :scope > h3, :scope > h4")
    if (!block || block.querySelector("input, .live-panel")) return null
    const copy = block.cloneNode(true)
    copy.querySelectorAll(".headerlink, button, script").forEach(part => part.replaceWith(...part.matches("button") ? part.childNodes : []))
    const first = block.matches("h2, h3, h4") ? place.querySelector("p") : null  // of a section, its first words too
    const whole = document.createElement("div")
    whole.append(copy, first ? first.cloneNode(true) : "")
    for (const part of whole.querySelectorAll("[id]")) part.removeAttribute("id")
    return whole
  }
  const hide = () => {
    clearTimeout(timer)
    if (shown) {
      shown.removeAttribute("aria-describedby")
      if (shown.dataset.title) shown.title = shown.dataset.title
    }
    shown = null
    box.hidden = true
  }
  const show = link => {
    const what = content(link)
    if (!what) return
    hide()
    box.replaceChildren(what)
    box.hidden = false
    shown = link
    if (link.title) { link.dataset.title = link.title; link.removeAttribute("title") }  // one tooltip is enough
    link.setAttribute("aria-describedby", box.id)
    const place = () => {
      const at = link.getBoundingClientRect(), high = box.offsetHeight
      const below = at.bottom + high + 12 < innerHeight || at.top < high + 12
      box.style.top = `${scrollY + (below ? at.bottom + 6 : at.top - high - 6)}px`
      box.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8))}px`
    }
    place()
    window.formulas?.show(box).then(place)
  }
  const soon = (what, milliseconds) => { clearTimeout(timer); timer = setTimeout(what, milliseconds) }
  const links = "a.reference.internal:not(.image-reference)"
  article.addEventListener("pointerover", event => {
    const link = event.pointerType === "mouse" && event.target.closest(links)
    if (link && link !== shown && !link.closest("nav")) soon(() => show(link), 350)
  })
  article.addEventListener("pointerout", event => { if (event.target.closest(links)) soon(hide, 300) })
  article.addEventListener("focusin", event => {
    const link = event.target.closest(links)
    if (link?.matches(":focus-visible")) show(link)
  })
  article.addEventListener("focusout", hide)
  box.addEventListener("pointerenter", () => clearTimeout(timer))
  box.addEventListener("pointerleave", () => soon(hide, 300))
  addEventListener("keydown", event => { if (event.key === "Escape") hide() })

  // --- pictures: a press shows one as large as the window allows, a second one as large as it is -----------------------
  const dialog = document.createElement("dialog")
  dialog.className = "enlarged"
  dialog.setAttribute("aria-label", "The picture, enlarged")
  dialog.innerHTML = '<button type="button">Close</button><div><img alt=""></div>'
  document.body.append(dialog)
  const large = dialog.querySelector("img")
  article.addEventListener("click", event => {
    const link = event.target.closest("figure a.image-reference")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const picture = link.querySelector("img")
    large.src = picture.currentSrc || picture.src
    large.alt = picture.alt
    large.className = ""
    dialog.showModal()
  })
  large.addEventListener("click", () => large.classList.toggle("whole"))
  dialog.querySelector("button").addEventListener("click", () => dialog.close())
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close() })
})()

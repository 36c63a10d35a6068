// Exercises whose answer is one number: the page says whether it is right, by the rule of gan_lessons/exercises/rounding.py.
(() => {
  "use strict"
  const rounded = (answer, truth, digits = 2) => {
    if (!Number.isFinite(answer) || !Number.isFinite(truth)) return answer === truth
    if (truth === 0) return Math.abs(answer) < 1e-6
    const off = Math.abs(answer - truth)
    if (off <= Math.abs(truth) * 10 ** -(digits + 1)) return true
    for (let places = digits; places < digits + 4; places++) {
      const unit = 10 ** (Math.floor(Math.log10(Math.abs(truth))) + 1 - places)
      const standsOnIt = Math.abs(answer / unit - Math.round(answer / unit)) < 1e-3
      if (standsOnIt && off <= 0.525 * unit) return true
    }
    return false
  }
  const near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b))
  const coarse = (number, digits) => {  // as Python rounds: a half goes to the even digit
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(number))) + 1 - digits), units = number / unit
    const down = Math.floor(units), half = Math.abs(units - down - 0.5) < 1e-9
    return unit * (half ? 2 * Math.round(down / 2 + 1e-9) : Math.round(units))
  }
  const short = number => String(Number(number.toPrecision(6)))

  // what to say of a number: "" where it is right
  const fault = (answer, {truth, turns, otherwise, digits}) => {
    if (rounded(answer, truth, digits)) return ""
    for (const [value, pointer] of turns) {
      if (rounded(answer, value, digits) && !rounded(value, truth, digits)) return pointer
    }
    for (let k = 1; truth !== 0 && k < digits; k++) {
      if (!near(answer, coarse(truth, k))) continue
      return `${short(answer)} is rounded too much to judge: give ${digits === 2 ? "two" : digits} digits or more.`
    }
    if (truth !== 0 && Math.abs(truth) <= 1 && rounded(answer / 100, truth, digits)) {
      return `${short(answer)} is right in per cent. Give it as a number, ${short(answer / 100)}.`
    }
    return otherwise || "Look at this number again."
  }

  // "0.31", "−0,31", "5/3", "1e-3" -> a number; anything else NaN
  const number = text => {
    const parts = text.trim().replace(/\u2212/g, "-").split("/").map(part => part.trim().replace(",", "."))
    if (parts.length > 2 || !parts.every(part => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part))) return NaN
    return parts.map(Number).reduce((a, b) => a / b)
  }
  const verdict = (text, check) => {
    const answer = number(text)
    if (Number.isNaN(answer)) return "Give one number, such as 0.31 or 5/3."
    const words = fault(answer, check)
    return words ? `Not yet. ${words}` : check.right
  }

  document.querySelectorAll(".answer-box").forEach((box, k) => {
    const check = JSON.parse(box.dataset.answer)
    const title = box.closest("section")?.querySelector("h1, h2, h3, h4")?.firstChild?.textContent ?? "this exercise"
    box.innerHTML = `<label for="answer-${k}">Your answer, a number:</label> <input id="answer-${k}" type="text" ` +
      'inputmode="decimal" autocomplete="off" spellcheck="false"> <button type="button">Check</button> <output></output>'
    const [input, button, output] = ["input", "button", "output"].map(part => box.querySelector(part))
    input.setAttribute("aria-label", `Your answer, a number: ${title.trim()}`)
    const say = () => { output.textContent = input.value.trim() ? verdict(input.value, check) : "Not answered yet." }
    button.addEventListener("click", say)
    input.addEventListener("keydown", event => {
      event.stopPropagation()  // no shortcut of the page
      if (event.key === "Enter") say()
    })
  })
  window.ganAnswers = {rounded, fault, number, verdict}
})()

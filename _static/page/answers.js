// Exercises of numbers and choices: the page says whether an answer is right, by the rules of
// gan_lessons/exercises/rounding.py and tools/page_answers.py, which also tells what data/answers.json holds.
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
  const coarse = (number, digits) => {  // to fewer digits; a half both ways
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(number))) + 1 - digits)
    return [1 - 1e-9, 1 + 1e-9].map(nudge => unit * Math.round(number * nudge / unit))
  }
  const short = number => {  // as Python's :g
    const [digits, power] = number.toExponential(5).split("e").map(Number)
    if (number === 0 || (power >= -4 && power < 6)) return String(Number(number.toPrecision(6)))
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
  }

  // what to say of a number: "" where it is right
  const fault = (answer, {truth, turns, otherwise, digits, within = 0, exactly = [], roughly = ""}) => {
    truth = Number(truth)
    for (const [value, pointer] of exactly) if (answer === Number(value)) return pointer
    if (Math.abs(answer - truth) <= within || rounded(answer, truth, digits)) return ""
    for (const [value, pointer] of turns) {
      if (rounded(answer, Number(value), digits) && !rounded(Number(value), truth, digits)) return pointer
    }
    if (roughly && rounded(answer, truth)) return roughly
    for (let k = 1; truth !== 0 && k < digits; k++) {
      if (!coarse(truth, k).some(one => near(answer, one))) continue
      return `${short(answer)} is rounded too much to judge: give ${digits === 2 ? "two" : digits} digits or more.`
    }
    if (truth !== 0 && Math.abs(truth) <= 1 && rounded(answer / 100, truth, digits)) {
      return `${short(answer)} is right in per cent. Give it as a number, ${short(answer / 100)}.`
    }
    return otherwise || "Look at this number again."
  }

  // "0.31", "−0,31", "5/3", "1e-3", "11,063,808", "inf" -> a number; anything else NaN. Where a large number is asked for,
  // "18,432" is one, too
  const number = (text, large = false) => {
    const groups = large ? /^[+-]?\d{1,3}([,\u202f ]\d{3})+$/ : /^[+-]?\d{1,3}((,\d{3}){2,}|([\u202f ]\d{3})+)$/
    const trimmed = text.trim().replace(/\u2212/g, "-"), plain = groups.test(trimmed) ? trimmed.replace(/[,\u202f ]/g, "") : trimmed
    if (/^[+-]?(inf(inity)?|\u221e)$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity
    const parts = plain.split("/").map(part => part.trim().replace(",", "."))
    if (parts.length > 2 || !parts.every(part => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part))) return NaN
    return parts.map(Number).reduce((a, b) => a / b)
  }

  // the place of what was given in a field among what a table knows, and how many places there are
  const place = ({kind, options = [], landmarks = []}, given) => {
    if (kind === "choice") return [options.findIndex(([, value]) => value === given), options.length]
    if (kind === "set") return [options.reduce((sum, [, value], bit) => sum + (given.includes(value) ? 2 ** bit : 0), 0), 2 ** options.length]
    const found = landmarks.indexOf(given)
    return [found < 0 ? landmarks.length : found, landmarks.length + 1]
  }

  // what to say of values, one for each field
  const judged = (given, {fields, steps, right}) => {
    for (const step of steps) {
      if (!step.table) {
        const words = fault(given[step.field], step)
        if (words) return `Not yet. ${step.prefix}${words}`
        continue
      }
      const entry = step.fields.reduce((sum, k) => {
        const [at, size] = place(fields[k], given[k])
        return sum * size + at
      }, 0)
      const words = step.says[step.table[entry]]
      if (words) return words
    }
    return right
  }

  // what to say of what stands in the fields: text of numbers, the value of a choice (null without one), a set's list
  const verdict = (raw, check) => {
    const {fields} = check, typed = fields.map(({kind}) => kind === "number" || kind === "whole")
    const open = raw.filter((one, k) => (typed[k] ? !one.trim() : one === null)).length
    if (open === fields.length || (fields.every(({kind}) => kind === "set") && raw.every(one => !one.length))) return "Not answered yet."
    if (open) return open === 1 ? "One is missing." : `${open} are missing.`
    const large = k => fields[k].kind === "whole" || check.steps.some(step => step.field === k && Number(step.truth) >= 1000)
    const values = raw.map((one, k) => (typed[k] ? number(one, large(k)) : one))
    const odd = values.findIndex((value, k) => typed[k] && Number.isNaN(value))
    if (odd >= 0) return fields.length === 1 ? "Give one number, such as 0.31 or 5/3." : `${fields[odd].label}: give a number, such as 0.31 or 5/3.`
    const broken = fields.findIndex(({kind, integer}, k) => (kind === "whole" || integer) && !Number.isInteger(values[k]))
    if (broken >= 0) return fields.length === 1 ? "Give a whole number." : `${fields[broken].label}: give a whole number.`
    return judged(values, check)
  }

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    element.append(...children)
    return element
  }

  // a field's elements, and what stands in it
  const input = (field, id, title, onEnter) => {
    const label = make("label", {for: id}, field.label ? `${field.label}:` : "Your answer, a number:")
    const name = `${field.label || "Your answer, a number"}: ${title}`
    if (field.kind === "set") {
      const boxes = field.options.map(([shown]) => make("input", {type: "checkbox", autocomplete: "off"}))
      const rows = boxes.map((box, k) => make("label", {}, box, ` ${field.options[k][0]}`))
      const group = make("fieldset", {"aria-label": name}, make("legend", {}, `${field.label}:`), ...rows)
      return {element: group, read: () => field.options.filter((_, k) => boxes[k].checked).map(([, value]) => value)}
    }
    if (field.kind === "choice") {
      const options = field.options.map(([shown], k) => make("option", {value: k}, shown))
      const select = make("select", {id, "aria-label": name, autocomplete: "off"}, make("option", {value: ""}, "choose"), ...options)
      return {element: make("span", {}, label, " ", select), read: () => (select.value === "" ? null : field.options[select.value][1])}
    }
    const box = make("input", {id, "aria-label": name, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false"})
    box.addEventListener("keydown", event => {
      event.stopPropagation()  // no shortcut of the page
      if (event.key === "Enter") onEnter()
    })
    return {element: make("span", {}, label, " ", box), read: () => box.value}
  }

  document.querySelectorAll(".answer-box").forEach((box, number) => {
    const check = JSON.parse(box.dataset.answer)
    const title = box.closest("section")?.querySelector("h1, h2, h3, h4")?.firstChild?.textContent?.trim() ?? "this exercise"
    const output = make("output"), button = make("button", {type: "button"}, "Check")
    const say = () => { output.textContent = verdict(inputs.map(one => one.read()), check) }
    const inputs = check.fields.map((field, k) => input(field, `answer-${number}-${k}`, title, say))
    button.addEventListener("click", say)
    box.append(...inputs.flatMap(one => [one.element, " "]), button, " ", output)
  })
  window.ganAnswers = {rounded, fault, number, judged, verdict}
})()

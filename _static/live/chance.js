/* Chance for the pieces of a page: the same numbers from the same seed. */
"use strict"

const liveChance = (() => {
  /** random(seed) -> {uniform(): [0, 1), normal(): N(0, 1)} (mulberry32; Box and Muller). */
  function random(seed) {
    let state = seed >>> 0, spare = null
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0
      let t = Math.imul(state ^ (state >>> 15), 1 | state)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    }
    const normal = () => {
      if (spare !== null) { const kept = spare; spare = null; return kept }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    }
    return {uniform, normal}
  }

  function normals(chance, length) {
    const values = new Float64Array(length)
    for (let k = 0; k < length; k++) values[k] = chance.normal()
    return values
  }

  return {normals, random}
})()

if (typeof module === "object") module.exports = liveChance // for Node

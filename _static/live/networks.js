/* A stored generator, without a page: reads what `python -m gan_lessons export` wrote, and draws from it.

   The layers of gan_lessons.models in evaluation mode, held against PyTorch by tests/test_live.py. Maps lie as
   (side x side x channels), so that the innermost loop runs over neighbours in memory. */
"use strict"

const ganLessons = globalThis.ganLessons ?? (globalThis.ganLessons = {})
ganLessons.generators ??= {}

ganLessons.networks = (() => {
  const FORMAT = 1

  // --- numbers ---------------------------------------------------------------------------------------------------

  const bytesOf = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0))

  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023
    if (exponent === 0) return sign * fraction * 2 ** -24
    return exponent === 31 ? NaN : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }

  /** A tensor as numbers: float32 ("bits": 32), float16 (16), or whole numbers of fewer bits, packed from the lowest
      bit on, times a scale for each row of the first dimension. */
  function numbers({shape, bits, data, scale}) {
    const bytes = bytesOf(data), length = shape.reduce((product, side) => product * side, 1)
    const view = new DataView(bytes.buffer), values = new Float32Array(length)
    if (bits === 32) for (let k = 0; k < length; k++) values[k] = view.getFloat32(4 * k, true)
    else if (bits === 16) for (let k = 0; k < length; k++) values[k] = half(view.getUint16(2 * k, true))
    else {
      const scales = numbers(scale), row = length / shape[0], middle = 2 ** (bits - 1), mask = 2 ** bits - 1
      for (let k = 0, held = 0, kept = 0, at = 0; k < length; k++) {
        while (kept < bits) { held |= bytes[at++] << kept; kept += 8 }
        values[k] = ((held & mask) - middle) * scales[Math.floor(k / row)]
        held >>>= bits
        kept -= bits
      }
    }
    return values
  }

  /** A kernel (a, b, k, k) turned to (k, k, inputs, outputs). */
  function turned(values, [a, b, k], outputsFirst) {
    const [inputs, outputs] = outputsFirst ? [b, a] : [a, b], result = new Float32Array(values.length)
    for (let p = 0; p < a; p++) {
      for (let q = 0; q < b; q++) {
        const [input, output] = outputsFirst ? [q, p] : [p, q]
        for (let tap = 0; tap < k * k; tap++) result[(tap * inputs + input) * outputs + output] = values[(p * b + q) * k * k + tap]
      }
    }
    return result
  }

  const biases = (bias, outputs) => (bias ? numbers(bias) : new Float32Array(outputs))

  // --- layers: each makes a function from {values, side, channels} to the same; flat rows have side 0 ----------------

  function linear({inputs, outputs, weight, bias}) {
    const values = numbers(weight), columns = new Float32Array(values.length), start = biases(bias, outputs)
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) columns[i * outputs + o] = values[o * inputs + i]
    return ({values: x}) => {
      const y = start.slice()
      for (let i = 0; i < inputs; i++) accumulate(y, 0, columns, i * outputs, outputs, x[i])
      return {values: y, side: 0, channels: outputs}
    }
  }

  /** y[at ...] += factor * w[from ...]; after a ReLU half of the factors are 0. */
  function accumulate(y, at, w, from, length, factor) {
    if (factor !== 0) for (let k = 0; k < length; k++) y[at + k] += factor * w[from + k]
  }

  function filled(side, start) {
    const channels = start.length, y = new Float32Array(side * side * channels)
    for (let place = 0; place < side * side; place++) y.set(start, place * channels)
    return y
  }

  /** The pairs of places that a kernel joins, `near` = stride * `far` + tap - padding: a convolution sums from near to
      far, a transposed one from far to near. */
  function join(near, far, {kernel, stride, padding}, visit) {
    for (let r = 0; r < far; r++) {
      for (let c = 0; c < far; c++) {
        for (let i = 0; i < kernel; i++) {
          for (let j = 0; j < kernel; j++) {
            const row = stride * r + i - padding, column = stride * c + j - padding
            if (row >= 0 && row < near && column >= 0 && column < near) visit(row * near + column, r * far + c, i * kernel + j)
          }
        }
      }
    }
  }

  function convolution(layer, transposed) {
    const {inputs, outputs, kernel, stride, padding, weight, bias} = layer
    const taps = turned(numbers(weight), weight.shape, !transposed), start = biases(bias, outputs)
    const across = side => (transposed ? (side - 1) * stride + kernel - 2 * padding : Math.floor((side + 2 * padding - kernel) / stride) + 1)
    return ({values: x, side}) => {
      const after = across(side), y = filled(after, start)
      const from = (input, output, tap) => {
        for (let i = 0; i < inputs; i++) accumulate(y, output * outputs, taps, (tap * inputs + i) * outputs, outputs, x[input * inputs + i])
      }
      if (transposed) join(after, side, layer, (near, far, tap) => from(far, near, tap))
      else join(side, after, layer, from)
      return {values: y, side: after, channels: outputs}
    }
  }

  function affine({scale, shift}) {
    const [times, plus] = [numbers(scale), numbers(shift)], c = times.length
    return state => ({...state, values: state.values.map((value, k) => value * times[k % c] + plus[k % c])})
  }

  function upsample({factor}) {
    return ({values, side, channels}) => {
      const after = side * factor, y = new Float32Array(after * after * channels)
      for (let r = 0; r < after; r++) {
        for (let c = 0; c < after; c++) {
          const place = (Math.floor(r / factor) * side + Math.floor(c / factor)) * channels
          y.set(values.subarray(place, place + channels), (r * after + c) * channels)
        }
      }
      return {values: y, side: after, channels}
    }
  }

  // A new pixel lies between four old ones, and gets their weighted mean; beyond the edge the edge goes on.
  function bilinear({factor}) {
    return ({values, side, channels}) => {
      const after = side * factor, y = new Float32Array(after * after * channels)
      const between = k => {
        const at = Math.max(0, (k + 0.5) / factor - 0.5), low = Math.floor(at)
        return [low, Math.min(low + 1, side - 1), at - low]
      }
      for (let r = 0; r < after; r++) {
        const [top, bottom, down] = between(r)
        for (let c = 0; c < after; c++) {
          const [left, right, along] = between(c)
          for (let k = 0; k < channels; k++) {
            const old = (row, column) => values[(row * side + column) * channels + k]
            y[(r * after + c) * channels + k] = (1 - down) * ((1 - along) * old(top, left) + along * old(top, right))
              + down * ((1 - along) * old(bottom, left) + along * old(bottom, right))
          }
        }
      }
      return {values: y, side: after, channels}
    }
  }

  const each = f => state => ({...state, values: state.values.map(f)})

  const LAYERS = {
    linear,
    conv: layer => convolution(layer, false),
    transposed: layer => convolution(layer, true),
    affine,
    upsample,
    bilinear,
    maps: ({side}) => ({values, channels}) => ({values, side, channels: channels / (side * side)}),
    flat: () => ({values}) => ({values, side: 0, channels: values.length}),
    leaky: ({slope}) => each(x => (x > 0 ? x : slope * x)),
    tanh: () => each(Math.tanh),
    sigmoid: () => each(x => 1 / (1 + Math.exp(-x))),
  }

  /** Ready an exported generator: {shape, z, draw(z) -> pixels (h * w * c) from 0 to 1}; of a conditional one z has the
      label's one-hot at its end (see told). Where D came along, believed(pixels) is the probability that she gives to an
      image's being real. Throws an Error for another format or an unknown layer. */
  function ready({format, name, shape, range, prior, layers, directions, opinion}) {
    if (format !== FORMAT) throw new Error(`${name} is of format ${format}, this page reads ${FORMAT}: export it again`)
    const readied = layers => layers.map(layer => {
      if (!LAYERS[layer.kind]) throw new Error(`${name} has a layer ${layer.kind}; this page knows ${Object.keys(LAYERS).join(", ")}`)
      return LAYERS[layer.kind](layer)
    })
    const steps = readied(layers), ofD = opinion && readied(opinion.layers)
    const [channels, height, width] = shape, [black, white] = range, area = height * width
    const draw = z => {
      let state = {values: Float32Array.from(z), side: 0, channels: z.length}
      for (const step of steps) state = step(state)
      const {values, side} = state, pixels = new Float32Array(values.length)
      for (let place = 0; place < area; place++) {
        for (let c = 0; c < channels; c++) {
          const value = side ? values[place * channels + c] : values[c * area + place] // flat ones lie by channels
          pixels[place * channels + c] = Math.min(1, Math.max(0, (value - black) / (white - black)))
        }
      }
      return pixels
    }
    const believed = pixels => {
      const rows = opinion.layers[0].kind === "linear" // a row of numbers lies by channels, maps by places
      const values = pixels.map((_, k) => black + (white - black) * pixels[rows ? (k % area) * channels + Math.floor(k / area) : k])
      let state = {values, side: rows ? 0 : height, channels: rows ? values.length : channels}
      for (const step of ofD) state = step(state)
      return 1 / (1 + Math.exp(-state.values[0]))
    }
    return {name, shape, prior, directions, z: prior.dim + (prior.classes ?? 0), draw, believed: ofD && believed}
  }

  // --- noise, and the walks in it --------------------------------------------------------------------------------------

  /** One z of a prior, from normal() and uniform(): gan_lessons.noise. Where there are classes, the one-hot of a label
      follows it, drawn with equal chances. */
  function noise({name, dim, classes = 0}, {normal, uniform}) {
    const drawn = {uniform: () => 2 * uniform() - 1, uniform01: uniform}[name] ?? normal
    const free = Float64Array.from({length: dim}, drawn)
    const z = name === "sphere" ? free.map(x => (x * Math.sqrt(dim)) / norm(free)) : free
    return classes ? told(z, Math.floor(uniform() * classes), classes) : z
  }

  /** z with the one-hot of a label at its end: gan_lessons.labels.beside. */
  const told = (z, label, classes) => Float64Array.from([...z, ...Array.from({length: classes}, (_, k) => +(k === label))])

  /** z, moved along each direction (unit vectors at right angles) until its coordinate there has the given value. */
  function steered(z, ways, values) {
    const moved = z.slice()
    for (const [name, way] of Object.entries(ways)) {
      const step = values[name] - way.reduce((sum, x, k) => sum + x * z[k], 0)
      way.forEach((x, k) => { moved[k] += step * x })
    }
    return moved
  }

  const norm = z => Math.sqrt(z.reduce((sum, x) => sum + x * x, 0))

  /** The point at a share t of the straight line (noise.lerp). */
  const lerp = (start, stop, t) => start.map((x, k) => (1 - t) * x + t * stop[k])

  /** The point at a share t of the arc (noise.slerp). */
  function slerp(start, stop, t) {
    const product = start.reduce((sum, x, k) => sum + x * stop[k], 0) / (norm(start) * norm(stop))
    const angle = Math.acos(Math.min(1, Math.max(-1, product)))
    if (!(angle >= 1e-3)) return lerp(start, stop, t)
    return start.map((x, k) => (Math.sin((1 - t) * angle) * x + Math.sin(t * angle) * stop[k]) / Math.sin(angle))
  }

  return {lerp, noise, norm, numbers, ready, slerp, steered, told}
})()

if (typeof module === "object") module.exports = ganLessons.networks // for Node

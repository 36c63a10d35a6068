/* The ring game, without a page: two perceptrons, their losses, gradients and Adam, in float64 and plain loops.

   The same game as gan_lessons.training plays, held against PyTorch by tests/test_live.py. A network's weights lie in
   one array: of each layer W (outputs x inputs) by rows, then b. Batches are (n x features) by rows. */
"use strict"

const ringGame = (() => {
  const EPSILON = 1e-8 // under the root of a deviation, and in Adam, as in PyTorch

  const {normals, random} = liveChance

  // --- networks --------------------------------------------------------------------------------------------------

  /** A perceptron of these sizes: (leaky) ReLU between its layers, nothing after the last.
      With `deviation` the last layer reads one more number, the batch's mean deviation (models.layers.BatchDeviation). */
  function mlp(sizes, slope, deviation = false) {
    const layers = []
    let length = 0
    for (let k = 0; k + 1 < sizes.length; k++) {
      const inputs = sizes[k] + (deviation && k + 2 === sizes.length ? 1 : 0), outputs = sizes[k + 1]
      layers.push({inputs, outputs, weight: length, bias: length + inputs * outputs})
      length += (inputs + 1) * outputs
    }
    const zeros = () => new Float64Array(length)
    return {sizes, slope, deviation, layers, weights: zeros(), gradient: zeros(), first: zeros(), second: zeros(), moves: 0, running: 1}
  }

  /** Draw weights and biases as PyTorch does: uniform within +-1/sqrt(inputs). */
  function initialise(network, chance) {
    for (const {inputs, outputs, weight} of network.layers) {
      const bound = 1 / Math.sqrt(inputs), end = weight + (inputs + 1) * outputs
      for (let k = weight; k < end; k++) network.weights[k] = bound * (2 * chance.uniform() - 1)
    }
    return network
  }

  /** c += a b, where c (rows x columns) lies in `to` from `at` on, and a row or a column of a (rows x inner) and of
      b (inner x columns) is so far from the next as `a` and `b` say: {of, from, row, column}. Eight sums at once, of two
      rows and four columns, as many as a processor keeps in its registers; each in the order of its terms. */
  function addProduct(to, at, rows, columns, inner, a, b) {
    const {of: x, from, row, column} = a, {of: y, from: first, row: down, column: across} = b
    const high = rows - (rows % 2), wide = columns - (columns % 4)
    for (let i = 0; i < high; i += 2) {
      for (let j = 0; j < wide; j += 4) {
        const one = at + i * columns + j, two = one + columns
        let p = to[one], q = to[one + 1], r = to[one + 2], s = to[one + 3]
        let P = to[two], Q = to[two + 1], R = to[two + 2], S = to[two + 3]
        for (let k = 0, u = from + i * row, v = first + j * across; k < inner; k++, u += column, v += down) {
          const m = x[u], M = x[u + row], e = y[v], f = y[v + across], g = y[v + 2 * across], h = y[v + 3 * across]
          p += m * e; q += m * f; r += m * g; s += m * h
          P += M * e; Q += M * f; R += M * g; S += M * h
        }
        to[one] = p; to[one + 1] = q; to[one + 2] = r; to[one + 3] = s
        to[two] = P; to[two + 1] = Q; to[two + 2] = R; to[two + 3] = S
      }
    }
    for (let i = 0; i < rows; i++) {
      for (let j = i < high ? wide : 0; j < columns; j++) { // what is left at the edges
        let sum = to[at + i * columns + j]
        for (let k = 0, u = from + i * row, v = first + j * across; k < inner; k++, u += column, v += down) sum += x[u] * y[v]
        to[at + i * columns + j] = sum
      }
    }
  }

  const matrix = (of, columns, from = 0) => ({of, from, row: columns, column: 1})
  const transposed = ({of, from, row, column}) => ({of, from, row: column, column: row})

  /** y (n x outputs) = x W^T + b; without `biased` x W^T. */
  function affine({weights}, {inputs, outputs, weight, bias}, x, n, biased = true) {
    const y = new Float64Array(n * outputs)
    if (biased) for (let i = 0; i < n; i++) for (let o = 0; o < outputs; o++) y[i * outputs + o] = weights[bias + o]
    addProduct(y, 0, n, outputs, inputs, matrix(x, inputs), transposed(matrix(weights, inputs, weight)))
    return y
  }

  /** The batch's deviation of features (n x c): {mean, std (c each), value}; value is the mean of the stds. */
  function deviationOf(features, n, c) {
    const mean = new Float64Array(c), std = new Float64Array(c)
    for (let i = 0; i < n; i++) for (let j = 0; j < c; j++) mean[j] += features[i * c + j] / n
    for (let i = 0; i < n; i++) for (let j = 0; j < c; j++) std[j] += (features[i * c + j] - mean[j]) ** 2 / n
    let value = 0
    for (let j = 0; j < c; j++) { std[j] = Math.sqrt(std[j] + EPSILON); value += std[j] / c }
    return {mean, std, value}
  }

  /** Features (n x c) with one more column: the same number in each row. */
  function widened(features, n, c, extra) {
    const wide = new Float64Array(n * (c + 1))
    for (let i = 0; i < n; i++) {
      wide.set(features.subarray(i * c, (i + 1) * c), i * (c + 1))
      wide[i * (c + 1) + c] = extra
    }
    return wide
  }

  /** Run a batch x (n x inputs) forward: {n, inputs: what each layer read, output}. In `training` the batch's own
      deviation counts, else its running average. */
  function forward(network, x, n, training = true) {
    const {layers, slope} = network, inputs = []
    let values = x, spread = null
    layers.forEach((layer, k) => {
      if (network.deviation && k + 1 === layers.length) {
        const c = layer.inputs - 1
        if (training) {
          spread = deviationOf(values, n, c)
          network.running += 0.1 * (spread.value - network.running)
        }
        values = widened(values, n, c, training ? spread.value : network.running)
      }
      inputs.push(values)
      values = affine(network, layer, values, n)
      if (k + 1 < layers.length) for (let m = 0; m < values.length; m++) if (!(values[m] > 0)) values[m] *= slope
    })
    return {n, inputs, spread, output: values}
  }

  /** Add delta^T x to a layer's gradient, and delta's sum to that of its biases. */
  function collect({gradient}, {inputs, outputs, weight, bias}, delta, x, n, biased = true) {
    addProduct(gradient, weight, outputs, inputs, n, transposed(matrix(delta, outputs)), matrix(x, inputs))
    if (biased) for (let k = 0; k < n * outputs; k++) gradient[bias + (k % outputs)] += delta[k]
  }

  /** delta W: the gradient for a layer's inputs, (n x inputs). */
  function passed({weights}, {inputs, outputs, weight}, delta, n) {
    const back = new Float64Array(n * inputs)
    addProduct(back, 0, n, inputs, outputs, matrix(delta, outputs), matrix(weights, inputs, weight))
    return back
  }

  /** Times the slope of the activation that made `values`: 1 where they are positive. */
  function gated(delta, values, slope) {
    for (let k = 0; k < delta.length; k++) if (!(values[k] > 0)) delta[k] *= slope
    return delta
  }

  /** The gradient for the features (n x c) from that for features and deviation (n x (c + 1)). */
  function narrowed(delta, features, {mean, std}, n, c) {
    const narrow = new Float64Array(n * c)
    let extra = 0
    for (let i = 0; i < n; i++) extra += delta[i * (c + 1) + c]
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < c; j++) {
        const centred = features[i * (c + 1) + j] - mean[j]
        narrow[i * c + j] = delta[i * (c + 1) + j] + (extra * centred) / (n * c * std[j])
      }
    }
    return narrow
  }

  /** The features in front of layer k as they left the layer before it: without the column of the deviation. */
  function without(run, layer) {
    const {n, spread} = run, c = layer.inputs - 1, wide = run.inputs[run.inputs.length - 1]
    if (!spread) return wide
    const narrow = new Float64Array(n * c)
    for (let i = 0; i < n; i++) narrow.set(wide.subarray(i * (c + 1), i * (c + 1) + c), i * c)
    return narrow
  }

  /** Send delta, the gradient for the outputs of layer `from`, back to the input: {input, deltas of each layer}.
      With `collecting` the weights' gradients are added up on the way. */
  function backward(network, run, delta, collecting = true, from = network.layers.length - 1) {
    const {layers, slope} = network, {n, inputs, spread} = run, deltas = []
    for (let k = from; k >= 0; k--) {
      deltas[k] = delta
      if (collecting) collect(network, layers[k], delta, inputs[k], n)
      delta = passed(network, layers[k], delta, n)
      const last = k + 1 === layers.length
      if (last && spread) delta = narrowed(delta, inputs[k], spread, n, layers[k].inputs - 1)
      if (k > 0) delta = gated(delta, last ? without(run, layers[k]) : inputs[k], slope)
    }
    return {input: delta, deltas}
  }

  // --- losses: all in logits a, with softplus(a) = log(1 + e^a) ----------------------------------------------------

  const softplus = a => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))
  const sigmoid = a => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)))

  /** sign * mean softplus(slope * a): {loss, delta}; the three losses of the game are of this form. */
  function meanSoftplus(logits, slope, sign = 1) {
    const n = logits.length, delta = new Float64Array(n)
    let loss = 0
    for (let k = 0; k < n; k++) {
      loss += (sign * softplus(slope * logits[k])) / n
      delta[k] = (sign * slope * sigmoid(slope * logits[k])) / n
    }
    return {loss, delta}
  }

  /** R1, gamma/2 E||grad D||^2 on a real batch (n x inputs): its value; its gradient is added to D's.

      With S = sum of D(x) and v = grad_x S, the gradient is gamma/n times that of the directional derivative of S
      along v, with v held fast: one pass of tangents forward, and one back. */
  function r1(D, real, n, gamma) {
    const {layers, slope} = D, end = layers.length - 1
    const run = forward(D, real, n)
    const {input, deltas} = backward(D, run, new Float64Array(n).fill(1), false)
    const share = gamma / n
    let tangent = input, value = 0
    for (let k = 0; k < input.length; k++) value += (0.5 * share) * input[k] ** 2
    for (let k = 0; k <= end; k++) {
      if (k === end && run.spread) tangent = deviationTangent(D, run, tangent, share)
      const scaled = deltas[k].map(d => share * d)
      collect(D, layers[k], scaled, tangent, n, false)
      if (k === end) break
      tangent = affine(D, layers[k], tangent, n, false)
      tangent = gated(tangent, k + 1 === end ? without(run, layers[end]) : run.inputs[k + 1], slope)
    }
    return value
  }

  /** Tangents of features (n x c), widened by that of the deviation. The deviation is no linear function, so that the
      features themselves have a gradient, too: it is sent back from here. */
  function deviationTangent(D, run, tangent, share) {
    const {n, spread: {mean, std}} = run, last = D.layers[D.layers.length - 1], c = last.inputs - 1
    const features = without(run, last), weight = D.weights[last.weight + c]
    const inner = new Float64Array(c), middle = new Float64Array(c), back = new Float64Array(n * c)
    let speed = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < c; j++) {
        inner[j] += (features[i * c + j] - mean[j]) * tangent[i * c + j]
        middle[j] += tangent[i * c + j] / n
      }
    }
    for (let j = 0; j < c; j++) speed += inner[j] / (n * c * std[j])
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < c; j++) {
        const pull = (tangent[i * c + j] - middle[j]) / std[j]
        const curve = ((features[i * c + j] - mean[j]) * inner[j]) / (n * std[j] ** 3)
        back[i * c + j] = ((share * weight) / c) * (pull - curve)
      }
    }
    backward(D, run, gated(back, features, D.slope), true, D.layers.length - 2)
    return widened(tangent, n, c, speed)
  }

  /** One step of Adam (Kingma and Ba 2015) down the gradient, which is cleared. */
  function descend(network, {rate, beta1, beta2}) {
    const {weights, gradient, first, second} = network, moves = ++network.moves
    const size = rate / (1 - beta1 ** moves), root = Math.sqrt(1 - beta2 ** moves)
    for (let k = 0; k < weights.length; k++) {
      first[k] += (1 - beta1) * (gradient[k] - first[k])
      second[k] = beta2 * second[k] + (1 - beta2) * gradient[k] ** 2
      weights[k] -= (size * first[k]) / (Math.sqrt(second[k]) / root + EPSILON)
      gradient[k] = 0
    }
  }

  // --- the game --------------------------------------------------------------------------------------------------

  const SETTINGS = {dSteps: 1, dRate: 1e-3, gRate: 1e-3, beta1: 0.5, beta2: 0.999, saturating: false, r1: 0}
  const SIZES = {z: 8, width: 32, batch: 64, deviation: false}

  /** A new game against `target` (see ring, cloud). */
  function create(target, seed, sizes = {}) {
    const {z, width, batch, deviation} = {...SIZES, ...sizes}, chance = random(seed)
    const G = initialise(mlp([z, width, width, 2], 0), chance)
    const D = initialise(mlp([2, width, width, 1], 0.2, deviation), chance)
    return {G, D, z, batch, target, chance, rounds: 0, dLoss: NaN, gLoss: NaN}
  }

  /** D's move against a real batch (n x 2) and noise (n x z); returns the forged batch's run, of which G makes use. */
  function moveD(game, settings, real, noise) {
    const {G, D} = game, n = real.length / 2
    const forged = forward(G, noise, n), onReal = forward(D, real, n), onForged = forward(D, forged.output, n)
    const [right, wrong] = [meanSoftplus(onReal.output, -1), meanSoftplus(onForged.output, 1)]
    backward(D, onReal, right.delta)
    backward(D, onForged, wrong.delta)
    game.dLoss = right.loss + wrong.loss + (settings.r1 > 0 ? r1(D, real, n, settings.r1) : 0)
    descend(D, {...settings, rate: settings.dRate})
    return forged
  }

  /** G's move with a batch that it has forged. */
  function moveG(game, settings, forged) {
    const {G, D} = game, seen = forward(D, forged.output, forged.n)
    const {loss, delta} = settings.saturating ? meanSoftplus(seen.output, 1, -1) : meanSoftplus(seen.output, -1)
    backward(G, forged, backward(D, seen, delta, false).input)
    game.gLoss = loss
    descend(G, {...settings, rate: settings.gRate})
  }

  /** The batches of a move, new each time: {real (n x 2), noise (n x z)}. */
  const drawn = game => ({real: game.target.sample(game.batch, game.chance), noise: normals(game.chance, game.batch * game.z)})

  /** One round, as gan_lessons.training.train plays it: D moves dSteps times, each on new batches, then G against the
      forged batch that D saw last. `batches` are drawn, unless they are given: [{real, noise}, ...]. */
  function round(game, settings, batches = null) {
    let forged
    for (let k = 0; k < settings.dSteps; k++) {
      const {real, noise} = batches ? batches[k] : drawn(game)
      forged = moveD(game, settings, Float64Array.from(real), Float64Array.from(noise))
    }
    moveG(game, settings, forged)
    game.rounds++
  }

  /** D moves and G waits. */
  function onlyD(game, settings) {
    const {real, noise} = drawn(game)
    moveD(game, settings, real, noise)
  }

  /** G moves and D waits. */
  function onlyG(game, settings) {
    moveG(game, settings, forward(game.G, drawn(game).noise, game.batch))
  }

  /** n forged points (n x 2), from a chance of their own, so that to look does not change the game. */
  function forge(game, n, chance) {
    return forward(game.G, normals(chance, n * game.z), n, false).output
  }

  /** D's opinion of points (n x 2) as probabilities. */
  function opinion(game, points) {
    return forward(game.D, points, points.length / 2, false).output.map(sigmoid)
  }

  // --- what is to be forged, and how much of it is ------------------------------------------------------------------

  /** Round heaps of points around `means` [[x, y], ...]: toys.mixture, with equal weights. */
  function heaps(means, std) {
    const sample = (n, chance) => {
      const points = new Float64Array(2 * n)
      for (let i = 0; i < n; i++) {
        const mean = means[Math.floor(chance.uniform() * means.length)]
        for (const side of [0, 1]) points[2 * i + side] = mean[side] + std * chance.normal()
      }
      return points
    }
    return {means, std, sample}
  }

  /** toys.ring: heaps on the circle of radius 1, the first at angle 0. */
  function ring(modes = 8, std = 0.02) {
    const angle = k => (2 * Math.PI * k) / modes
    return heaps(Array.from({length: modes}, (_, k) => [Math.cos(angle(k)), Math.sin(angle(k))]), std)
  }

  /** A drawing: points [[x, y], ...], each a little smeared. It has no modes to count. */
  function cloud(points, std = 0.02) {
    return {...heaps(points, std), means: null}
  }

  /** Count points (n x 2) by their nearest heap: {nearest, good} (modes.tally; good is within 3 stds). */
  function tally(points, {means, std}) {
    const nearest = means.map(() => 0), good = means.map(() => 0)
    for (let i = 0; i < points.length; i += 2) {
      let which = 0, least = Infinity
      means.forEach(([x, y], k) => {
        const distance = Math.hypot(points[i] - x, points[i + 1] - y)
        if (distance < least) [which, least] = [k, distance]
      })
      nearest[which]++
      if (least <= 3 * std) good[which]++
    }
    return {nearest, good}
  }

  /** {captured: of each heap, whether it has half of its due (modes.expected_share), reverseKL, floor: what the perfect
      forger scores with so many points (modes.reverse_kl, modes.kl_floor)}. */
  function measures(points, target) {
    const n = points.length / 2, k = target.means.length, {nearest, good} = tally(points, target)
    const captured = good.map(count => count >= (0.5 * n) / k)
    const reverseKL = nearest.reduce((sum, count) => sum + (count ? (count / n) * Math.log((count / n) * k) : 0), 0)
    return {captured, reverseKL, floor: (k - 1) / (2 * n), nearest, good}
  }

  return {
    SETTINGS, SIZES, backward, cloud, create, descend, drawn, forge, forward, heaps, initialise, measures, meanSoftplus, mlp, moveD, moveG,
    normals, onlyD, onlyG, opinion, r1, random, ring, round, sigmoid, softplus, tally,
  }
})()

if (typeof module === "object") module.exports = ringGame // for Node

/**
 * Gives every subtask a model so that the sum of utilities is the greatest possible (Hungarian algorithm with
 * potentials, O(subtasks^2 * places)). `utilities[i][j]` is what subtask i gains from model j; -Infinity or NaN where
 * j cannot serve it. `capacity[j]` is how many subtasks model j takes. @default 1 each
 *
 * Returns the model of each subtask, -1 for those that no free model can serve: as few as possible are left out.
 */
export function assign(utilities: readonly (readonly number[])[], capacity: readonly number[] = []): readonly number[] {
  const rows = utilities.length
  const models = Math.max(0, ...utilities.map(row => row.length))
  const places: number[] = []
  for (let model = 0; model < models; model++)
    for (let place = 0; place < Math.min(rows, capacity[model] ?? 1); place++) places.push(model)
  const finite = utilities.flat().filter(Number.isFinite)
  const spread = finite.length > 0 ? Math.max(...finite) - Math.min(...finite) : 0
  const top = finite.length > 0 ? Math.max(...finite) : 0
  // one subtask left out costs more than the worst choice of all others together
  const leftOut = (spread + 1) * (rows + 1)
  for (let row = 0; row < rows; row++) places.push(-1)
  const cost = (row: number, place: number): number => {
    const model = places[place] ?? -1
    const utility = model < 0 ? Number.NaN : (utilities[row]?.[model] ?? Number.NaN)
    return Number.isFinite(utility) ? top - utility : leftOut
  }
  const chosen = hungarian(rows, places.length, cost)
  return chosen.map((place, row) => {
    const model = places[place] ?? -1
    return Number.isFinite(utilities[row]?.[model] ?? Number.NaN) ? model : -1
  })
}

/** The column of each row at least total cost; needs at least as many columns as rows. Indices inside start at 1. */
function hungarian(rows: number, columns: number, cost: (row: number, column: number) => number): number[] {
  const rowPotential = new Float64Array(rows + 1)
  const columnPotential = new Float64Array(columns + 1)
  const rowOf = new Int32Array(columns + 1)
  const previous = new Int32Array(columns + 1)
  for (let row = 1; row <= rows; row++) {
    const slack = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY)
    const used = new Uint8Array(columns + 1)
    let column = 0
    rowOf[0] = row
    do {
      used[column] = 1
      const current = rowOf[column] ?? 0
      let step = Number.POSITIVE_INFINITY
      let next = 0
      for (let j = 1; j <= columns; j++) {
        if (used[j]) continue
        const reduced = cost(current - 1, j - 1) - (rowPotential[current] ?? 0) - (columnPotential[j] ?? 0)
        if (reduced < (slack[j] ?? 0)) {
          slack[j] = reduced
          previous[j] = column
        }
        if ((slack[j] ?? 0) < step) {
          step = slack[j] ?? 0
          next = j
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (used[j]) {
          rowPotential[rowOf[j] ?? 0] = (rowPotential[rowOf[j] ?? 0] ?? 0) + step
          columnPotential[j] = (columnPotential[j] ?? 0) - step
        } else slack[j] = (slack[j] ?? 0) - step
      }
      column = next
    } while (rowOf[column] !== 0)
    do {
      const before = previous[column] ?? 0
      rowOf[column] = rowOf[before] ?? 0
      column = before
    } while (column !== 0)
  }
  const result = new Array<number>(rows).fill(-1)
  for (let column = 1; column <= columns; column++) {
    const row = rowOf[column] ?? 0
    if (row > 0) result[row - 1] = column - 1
  }
  return result
}

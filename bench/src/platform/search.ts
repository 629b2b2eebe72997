/** Finds the highest rate that something keeps up with, by trying. */

/**
 * Tries growing rates until one is too much, then the middle between that and the one before.
 * @returns what was tried, in that order
 */
export async function searchRates<Tried>(
  rates: readonly number[],
  tryRate: (rate: number) => Promise<Tried>,
  keepsUp: (tried: Tried) => boolean,
): Promise<Tried[]> {
  const all: Tried[] = []
  let kept = 0
  for (const rate of rates) {
    const tried = await tryRate(rate)
    all.push(tried)
    if (!keepsUp(tried)) return [...all, await tryRate(Math.round((kept + rate) / 2))]
    kept = rate
  }
  return all
}

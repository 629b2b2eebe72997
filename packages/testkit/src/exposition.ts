/** The value of one sample, named as it is written with its labels, in what a server says of itself; NaN where it has none. */
export function sampleIn(exposition: string, sample: string): number {
  const line = exposition.split('\n').find((candidate) => candidate.startsWith(`${sample} `))
  return Number(line?.slice(sample.length + 1) ?? NaN)
}

import type { World } from '../world.ts'

/** An error in an otherwise correct world, and the check that has to find it. */
export type PlantedError = {
  readonly check: string
  readonly error: string
  readonly plant: (world: World) => void
  /** What the first differing row has to show. */
  readonly shows: Readonly<Record<string, unknown>>
}

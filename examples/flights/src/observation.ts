/** Something that was observed, in the encoding of its event type. */
export type Observation = {
  readonly id: string
  readonly source: string
  /** When it happened. RFC 3339. */
  readonly time: string
  readonly body: Buffer
}

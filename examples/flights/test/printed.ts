/** A record as it lies in Kafka. */
export type LogRecord = {
  readonly partition?: number
  readonly offset?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
}

/** The line that Kafka's console consumer prints for a record, with the formatter of `console-consumer.ts`. */
export function printed({ partition = 0, offset = 0, headers = {}, key = null, value }: LogRecord): string {
  const printedHeaders = Object.entries(headers).map(([name, text]) => `${name}:${printedBytes(text)}`)
  const columns = [
    'CreateTime:1764000000000',
    `Partition:${partition}`,
    `Offset:${offset}`,
    printedHeaders.join('\\,') || 'NO_HEADERS',
    printedBytes(key),
    printedBytes(value),
  ]
  return `${columns.join('\t')}\n`
}

/** Kafka's `Bytes.toString`, to which the formatter gives the null literal too. */
function printedBytes(value: Uint8Array | string | null): string {
  return [...Buffer.from(value ?? '\\N')]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}

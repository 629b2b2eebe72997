/** The reference implementations in Java (`reference/Reference.java`), as a program that runs beside the test. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { schemaText } from '@millrace/core/event-type'
import { isJsonObject } from '@millrace/core/json'
import type { SchemaSource } from '@millrace/schemas/codec'
import { distributions, projectDirectory } from '@millrace/stack/layout'
import * as z from 'zod'

const program = join(projectDirectory, 'test/reference/Reference.java')
const classPath = [join(distributions.registry, 'lib/main/*'), join(distributions.kafka, '*')].join(':')
const virtualMachine = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

const decoded = z.union([
  z.object({ ok: z.literal(true), data: z.json() }),
  z.object({ ok: z.literal(false), error: z.string() }),
])
export type Decoded = z.infer<typeof decoded>

const consumed = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  key: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  schemaId: z.int().optional(),
  data: z.json(),
})
export type Consumed = z.infer<typeof consumed>

export type ReferenceDecoder = {
  /** Decodes payloads, unframed, each by the schema that wrote it. */
  readonly decode: (source: SchemaSource, payloads: readonly Buffer[]) => Promise<Decoded[]>
  readonly close: () => void
}

/** Starts the decoders of Apache Avro and of Google's Protobuf for Java. */
export function openReferenceDecoder(javaCommand: string): ReferenceDecoder {
  const child = start(javaCommand, 'decode')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    decode: async ({ format, schema, references }, payloads) => {
      const texts = Object.fromEntries(references.map((reference) => [reference.name, reference.schema]))
      const text = schemaText(schema)
      const asked = payloads.map((bytes) => ({
        format,
        schema: text,
        references: texts,
        bytes: bytes.toString('base64'),
      }))
      child.stdin.write(asked.map((line) => `${JSON.stringify(line)}\n`).join(''))
      const answers: Decoded[] = []
      while (answers.length < payloads.length) {
        const { value, done } = await lines.next()
        if (done) throw new Error('the reference decoder ended')
        answers.push(decoded.parse(parsedExactly(value)))
      }
      return answers
    },
    close: () => {
      child.kill('SIGKILL')
    },
  }
}

export type Consumption = {
  /** Of Kafka's client: where the brokers are, and as whom to read. */
  readonly settings: Readonly<Record<string, string>>
  readonly registryUrl: string
  readonly authorization: string
  readonly caFile: string
  /** How many records of each topic to read. */
  readonly counts: Readonly<Record<string, number>>
  readonly timeoutMs: number
}

/** Reads topics with Kafka's client for Java, and decodes them with what the Schema Registry says of them. */
export async function consume(javaCommand: string, consumption: Consumption): Promise<Consumed[]> {
  const child = start(javaCommand, 'consume')
  child.stdin.end(`${JSON.stringify(consumption)}\n`)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const code = await ended(child)
  if (code !== 0) throw new Error(`the reference consumer ended with ${String(code)}: ${complaint.slice(-2_000)}`)
  return lines.map((line) => consumed.parse(parsedExactly(line)))
}

function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}

function start(javaCommand: string, mode: 'decode' | 'consume'): ChildProcessWithoutNullStreams {
  return spawn(javaCommand, [...virtualMachine, '-cp', classPath, program, mode])
}

/** Integers that a double cannot hold are kept by their digits, as readers of the API get them. */
function parsedExactly(line: string): unknown {
  return JSON.parse(line, (_key, value: unknown, context?: { readonly source?: string }) => {
    const digits = context?.source
    const isUnsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    return isUnsafe && digits !== undefined && /^-?\d+$/.test(digits) ? digits : value
  })
}

/** Whether two decoders see the same, whatever the order of members and the digits of floats. */
export function seeTheSame(left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'number') {
    return left === right || Math.fround(left) === Math.fround(right)
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => seeTheSame(item, right[index]))
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    const names = Object.keys(left)
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => Object.hasOwn(right, name) && seeTheSame(left[name], right[name]))
    )
  }
  return left === right
}

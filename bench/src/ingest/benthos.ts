/** Benthos as a peer: HTTP → JSON Schema → keyed, idempotent Kafka, built from its Go module. */
import { execFile } from 'node:child_process'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Installation } from '@millrace/stack/installation'
import { httpProbe } from '@millrace/stack/probe'
import { writeSecret } from '@millrace/stack/secrets'
import type { ServerSpec } from '@millrace/stack/server'
import { envelopeSchema, topicOf } from './platform.ts'

export const benthosVersion = 'v4.24.0'
const run = promisify(execFile)
const readyTimeoutMs = 30_000
const stopTimeoutMs = 20_000

const goMod = `module millrace-bench

go 1.24

require github.com/benthosdev/benthos/v4 ${benthosVersion}
`
const mainGo = `package main

import (
	"context"

	"github.com/benthosdev/benthos/v4/public/service"

	_ "github.com/benthosdev/benthos/v4/public/components/io"
	_ "github.com/benthosdev/benthos/v4/public/components/kafka"
	_ "github.com/benthosdev/benthos/v4/public/components/pure"
)

func main() { service.RunCLI(context.Background()) }
`

/** The program, built if it is not there yet; `undefined`, with a line that says why, where it cannot be built. */
export async function buildBenthos(directory: string, say: (line: string) => void): Promise<string | undefined> {
  const program = join(directory, 'benthos')
  if (await exists(program)) return program
  say(`building Benthos ${benthosVersion} from its Go module (2 to 4 minutes, once)`)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'go.mod'), goMod)
  await writeFile(join(directory, 'main.go'), mainGo)
  try {
    await run('go', ['mod', 'tidy'], { cwd: directory })
    await run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', program, '.'], { cwd: directory })
    return program
  } catch (error) {
    say(`Benthos is left out, for it cannot be built: ${firstLine(error)}`)
    return undefined
  }
}

export type BenthosPorts = { readonly single: number; readonly batch: number; readonly management: number }

/** One process that takes single events at one port and batches at another. */
export function benthosServer(installation: Installation, program: string, ports: BenthosPorts): ServerSpec {
  const { layout } = installation
  const settingsFile = join(layout.configuration, 'benthos.json')
  const schemaFile = join(layout.configuration, 'benthos-schema.json')
  const management = `http://127.0.0.1:${ports.management}`
  return {
    kind: 'server',
    name: 'benthos',
    dependsOn: ['event types'],
    address: `http://127.0.0.1:${ports.single}/post`,
    ports: Object.values(ports),
    command: { file: program, arguments: ['-c', settingsFile] },
    prepare: async () => {
      await writeFile(schemaFile, JSON.stringify(envelopeSchema))
      // JSON is YAML, which is what Benthos reads.
      await writeSecret(settingsFile, JSON.stringify(settings(installation, ports, schemaFile)))
    },
    probe: httpProbe(`${management}/ready`),
    readyTimeoutMs,
    stopTimeoutMs,
  }
}

function settings(
  { bootstrapServers, certificates, secrets }: Installation,
  ports: BenthosPorts,
  schemaFile: string,
): unknown {
  const input = (port: number) => ({ address: `127.0.0.1:${port}`, path: '/post', timeout: '10s' })
  return {
    http: { enabled: true, address: `127.0.0.1:${ports.management}` },
    input: {
      broker: {
        inputs: [
          { http_server: input(ports.single) },
          { http_server: input(ports.batch), processors: [{ unarchive: { format: 'json_array' } }] },
        ],
      },
    },
    pipeline: {
      processors: [
        { json_schema: { schema_path: `file://${schemaFile}` } },
        { catch: [{ mapping: 'root = deleted()' }] },
      ],
    },
    output: {
      kafka_franz: {
        seed_brokers: bootstrapServers,
        topic: topicOf('benthos'),
        // Keyed, as everybody's records are: the key decides the partition (murmur2, as everywhere).
        key: '${! json("data.sensor") }',
        idempotent_write: true,
        max_in_flight: 1024,
        tls: { enabled: true, root_cas_file: certificates.caFile },
        sasl: [{ mechanism: 'SCRAM-SHA-512', username: 'gateway', password: secrets.kafkaPassword('gateway') }],
      },
    },
    logger: { level: 'WARN' },
    metrics: { none: {} },
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

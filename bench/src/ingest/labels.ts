import { benthosVersion } from './benthos.ts'
import type { SubjectName } from './platform.ts'

export const labels: Readonly<Record<SubjectName, string>> = {
  millrace: 'Millrace gateway, JSON',
  'millrace-avro': 'Millrace gateway, Avro',
  'millrace-protobuf': 'Millrace gateway, Protobuf',
  benthos: `Benthos ${benthosVersion}`,
  validating: 'node:http + schema',
  bare: 'bare node:http',
  direct: 'client alone',
}

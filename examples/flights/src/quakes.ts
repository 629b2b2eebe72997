/** The earthquakes that the United States Geological Survey recorded in the first week of February 2018, as Avro. */
import { readFile } from 'node:fs/promises'
import { eventType } from '@millrace/core/event-type'
import avro from 'avsc'
import * as z from 'zod'
import type { Observation } from './observation.ts'

const schema = {
  type: 'record',
  name: 'QuakeRecorded',
  namespace: 'millrace.example',
  fields: [
    { name: 'network', type: 'string', doc: 'Code of the seismic network that reported it.' },
    { name: 'place', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'magnitude', type: 'double' },
    { name: 'longitude', type: 'double' },
    { name: 'latitude', type: 'double' },
    { name: 'depth', type: 'double', doc: 'Kilometres.' },
    { name: 'felt', type: ['null', 'int'], default: null, doc: 'How many people reported that they felt it.' },
  ],
} satisfies avro.schema.RecordType

export const quakeRecorded = eventType('quake.recorded', {
  format: 'avro',
  schema,
  key: '/network',
  partitions: 3,
})

const quakesFile = new URL('../data/earthquakes.json', import.meta.resolve('vega-datasets'))
const source = '/quakes/usgs'

const collection = z.object({
  features: z.array(
    z.object({
      id: z.string(),
      properties: z.object({
        net: z.string(),
        place: z.string(),
        time: z.number(),
        mag: z.number(),
        felt: z.number().nullable(),
      }),
      geometry: z.object({ coordinates: z.tuple([z.number(), z.number(), z.number()]) }),
    }),
  ),
})
type Feature = z.infer<typeof collection>['features'][number]

/** The earthquakes in the order in which they happened. */
export async function quakes(): Promise<Observation[]> {
  const type = avro.Type.forSchema(schema)
  const { features } = collection.parse(JSON.parse(await readFile(quakesFile, 'utf8')))
  return features
    .toSorted((left, right) => left.properties.time - right.properties.time)
    .map((feature) => ({
      id: feature.id,
      source,
      time: new Date(feature.properties.time).toISOString(),
      body: type.toBuffer(dataOf(feature)),
    }))
}

function dataOf({ properties: { net, place, time, mag, felt }, geometry }: Feature) {
  const [longitude, latitude, depth] = geometry.coordinates
  return { network: net, place, at: time, magnitude: mag, longitude, latitude, depth, felt }
}

/** The airports that flights leave and reach. */
import { fileURLToPath } from 'node:url'
import { literal, openDatabase } from '@millrace/ledger/database'
import * as z from 'zod'
import type { Observation } from './observation.ts'

const airportsFile = fileURLToPath(new URL('../data/airports.csv', import.meta.resolve('vega-datasets')))
const source = '/airports/faa'
/** Nobody says since when they are what they are: the year of the flights. */
const time = '2001-01-01T00:00:00Z'

const described = z.array(z.looseObject({ iata: z.string() }))

/** All airports of the file, in its order. What it does not know, and says to be `NA`, is left out. */
export async function airports(): Promise<Observation[]> {
  const database = await openDatabase()
  try {
    const rows = await database.rows(`
      SELECT iata, name, city, state, country, latitude, longitude
      FROM read_csv(${literal(airportsFile)}, header = true, nullstr = 'NA', columns = {
        'iata': 'VARCHAR', 'name': 'VARCHAR', 'city': 'VARCHAR', 'state': 'VARCHAR', 'country': 'VARCHAR',
        'latitude': 'DOUBLE', 'longitude': 'DOUBLE'})`)
    return described.parse(rows).map((airport) => {
      const known = Object.entries(airport).filter(([, value]) => value !== null)
      return { id: airport.iata, source, time, body: Buffer.from(JSON.stringify(Object.fromEntries(known))) }
    })
  } finally {
    database.close()
  }
}

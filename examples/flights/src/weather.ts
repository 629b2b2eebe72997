/** The weather of every day from 2012 to 2015 in Seattle and New York, as Protobuf. */
import { readFile } from 'node:fs/promises'
import { eventType } from '@millrace/core/event-type'
import protobuf from 'protobufjs'
import type { Observation } from './observation.ts'

const schema = `syntax = "proto3";
package millrace.example;

import "google/protobuf/timestamp.proto";

// The weather of one day at one place.
message WeatherObserved {
  string location = 1;
  google.protobuf.Timestamp date = 2;
  // Millimetres.
  double precipitation = 3;
  // Degrees Celsius.
  double temperature_max = 4;
  double temperature_min = 5;
  // Metres per second.
  double wind = 6;
  Sky sky = 7;

  enum Sky {
    SKY_UNSPECIFIED = 0;
    SKY_DRIZZLE = 1;
    SKY_FOG = 2;
    SKY_RAIN = 3;
    SKY_SNOW = 4;
    SKY_SUN = 5;
  }
}
`

export const weatherObserved = eventType('weather.observed', {
  format: 'protobuf',
  schema,
  key: '/location',
  time: '/date',
  partitions: 3,
})

const weatherFile = new URL('../data/weather.csv', import.meta.resolve('vega-datasets'))
const source = '/weather/stations'
const skies = ['drizzle', 'fog', 'rain', 'snow', 'sun']

/** The days of both cities in the order in which they passed. */
export async function weather(): Promise<Observation[]> {
  const root = new protobuf.Root()
  root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')?.nested ?? {})
  const type = protobuf.parse(schema, root).root.lookupType('millrace.example.WeatherObserved')
  const [, ...lines] = (await readFile(weatherFile, 'utf8')).trim().split('\n')
  return lines
    .map((line) => line.trim().split(','))
    .map(([location = '', date = '', precipitation, temperatureMax, temperatureMin, wind, sky = '']) => ({
      id: `${location.toLowerCase().replaceAll(' ', '-')}-${date}`,
      source,
      time: `${date}T00:00:00Z`,
      body: Buffer.from(
        type
          .encode({
            location,
            date: { seconds: Date.parse(date) / 1_000 },
            precipitation: Number(precipitation),
            temperatureMax: Number(temperatureMax),
            temperatureMin: Number(temperatureMin),
            wind: Number(wind),
            sky: skies.indexOf(sky) + 1,
          })
          .finish(),
      ),
    }))
    .sort((left, right) => left.time.localeCompare(right.time))
}

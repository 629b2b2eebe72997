/** What a sensor measured: the data of every event, with its schema in each format. */
import type { SchemaFormat } from '@millrace/core/event-type'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { compileCodec } from '@millrace/schemas/compile-codec'

export const jsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  properties: {
    sensor: { type: 'string', pattern: '^sensor-[0-9]{4}$' },
    at: { type: 'string', format: 'date-time' },
    temperature: { type: 'number', minimum: -90, maximum: 60 },
    humidity: { type: 'integer', minimum: 0, maximum: 100 },
    status: { type: 'string', enum: ['ok', 'degraded', 'offline'] },
    firmware: { type: 'string', minLength: 1, maxLength: 20 },
    battery: { type: 'number', minimum: 0, maximum: 1 },
    location: {
      type: 'object',
      additionalProperties: false,
      properties: { latitude: { type: 'number' }, longitude: { type: 'number' }, site: { type: 'string' } },
      required: ['latitude', 'longitude'],
    },
    tags: { type: 'array', maxItems: 10, items: { type: 'string' } },
  },
  required: ['sensor', 'at', 'temperature', 'status', 'location'],
} as const

const avroSchema = {
  type: 'record',
  name: 'Reading',
  namespace: 'millrace.bench',
  fields: [
    { name: 'sensor', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'temperature', type: 'double' },
    { name: 'humidity', type: 'int' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['ok', 'degraded', 'offline'] } },
    { name: 'firmware', type: 'string' },
    { name: 'battery', type: 'double' },
    {
      name: 'location',
      type: {
        type: 'record',
        name: 'Location',
        fields: [
          { name: 'latitude', type: 'double' },
          { name: 'longitude', type: 'double' },
          { name: 'site', type: 'string' },
        ],
      },
    },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
} as const

const protobufSchema = `syntax = "proto3";
package millrace.bench;

import "google/protobuf/timestamp.proto";

message Reading {
  string sensor = 1;
  google.protobuf.Timestamp at = 2;
  double temperature = 3;
  int32 humidity = 4;
  Status status = 5;
  string firmware = 6;
  double battery = 7;
  Location location = 8;
  repeated string tags = 9;

  enum Status {
    OK = 0;
    DEGRADED = 1;
    OFFLINE = 2;
  }
  message Location {
    double latitude = 1;
    double longitude = 2;
    string site = 3;
  }
}
`

export const schemas = { json: jsonSchema, avro: avroSchema, protobuf: protobufSchema } as const

const at = '2030-01-01T00:00:00.123Z'

/** A reading of this sensor as JSON. */
export function readingOf(sensor: string): JsonObject {
  return {
    sensor,
    at,
    temperature: 21.375,
    humidity: 43,
    status: 'ok',
    firmware: '4.11.2-rc1',
    battery: 0.87,
    location: { latitude: 52.520008, longitude: 13.404954, site: 'warehouse-7, hall 3' },
    tags: ['indoor', 'calibrated', 'zone-north'],
  }
}

/** The same reading in Avro's or Protobuf's binary encoding, without the registry's frame. */
export function encodedReadingOf(format: Exclude<SchemaFormat, 'json'>, sensor: string): Buffer {
  const own = format === 'avro' ? { at: Date.parse(at) } : { status: 'OK' }
  const coded = codecOf(format).fromJson({ ...readingOf(sensor), ...own })
  if (!coded.ok) throw new TypeError(`the reading does not fit its own schema: ${JSON.stringify(coded.violations)}`)
  return coded.value
}

export function codecOf(format: SchemaFormat) {
  const schema = schemas[format]
  if (typeof schema !== 'string' && !isJsonObject(schema)) throw new TypeError('not a schema')
  return compileCodec({ format, schema, references: [] })
}

import { eventType } from '@millrace/core/event-type'
import { snowflake } from '@millrace/core/sink'
import { describe, expect, it } from 'vitest'
import { type ConnectorEnvironment, connectorOf } from '../src/connector-config.ts'

const from = eventType('departures.hourly', {
  schema: { type: 'object', properties: { windowStart: { type: 'string' }, flights: { type: 'integer' } } },
})
const sink = snowflake({ from, database: 'FLIGHTS', schema: 'RESULTS', table: 'HOURLY', flush: '1500 milliseconds' })
const environment: ConnectorEnvironment = {
  warehouseUrl: 'https://millrace.snowflakecomputing.com',
  user: 'LOADER',
  role: 'LOADING',
  privateKeyReference: '${file:/secrets/snowflake.properties:key}',
  replicationFactor: 3,
}

describe('the connector of a sink', () => {
  const { name, config } = connectorOf(sink, environment)

  it('streams one topic into one table as the sink says', () => {
    expect(name).toBe('snowflake-departures.hourly')
    expect(config).toMatchObject({
      topics: 'departures.hourly',
      'snowflake.topic2table.map': 'departures.hourly:HOURLY',
      'snowflake.database.name': 'FLIGHTS',
      'snowflake.schema.name': 'RESULTS',
      'snowflake.ingestion.method': 'SNOWPIPE_STREAMING',
    })
  })

  it('holds a reference to the private key, never the key', () => {
    expect(config['snowflake.private.key']).toBe('${file:/secrets/snowflake.properties:key}')
  })

  it('renames fields to the columns of the table', () => {
    expect(config['transforms.columns.renames']).toBe('windowStart:WINDOW_START,flights:FLIGHTS')
  })

  it('flushes in whole seconds, never earlier than the sink says', () => {
    expect(config['snowflake.streaming.max.client.lag']).toBe('2')
  })

  it('reads only what is committed and keeps what fails', () => {
    expect(config).toMatchObject({
      'consumer.override.isolation.level': 'read_committed',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'departures.hourly.dlq',
      'errors.deadletterqueue.context.headers.enable': 'true',
      'errors.deadletterqueue.topic.replication.factor': '3',
    })
  })

  it('differs between two warehouses in the URL alone', () => {
    const other = connectorOf(sink, { ...environment, warehouseUrl: 'http://millrace.snowflakecomputing.com:8080' })
    const differing = Object.keys(config).filter((key) => config[key] !== other.config[key])
    expect(differing).toEqual(['snowflake.url.name'])
  })
})

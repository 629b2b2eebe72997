import { eventType } from '@millrace/core/event-type'
import { snowflake } from '@millrace/core/sink'
import { describe, expect, it } from 'vitest'
import {
  additionOf,
  columnName,
  creationOf,
  mismatchedColumns,
  missingColumns,
  qualifiedName,
  tableOf,
} from '../src/table.ts'

const departures = eventType('departures', {
  schema: {
    type: 'object',
    properties: {
      origin: { type: 'string' },
      windowStart: { type: 'string', format: 'date-time' },
      flights: { type: 'integer' },
      meanDelay: { type: 'number' },
      cancelled: { type: 'boolean' },
      crew: { type: 'array' },
    },
  },
})
const sink = snowflake({ from: departures, database: 'FLIGHTS', schema: 'RESULTS', table: 'DEPARTURES' })

describe('the table of a sink', () => {
  it('has the metadata first, then a typed column for each property; what is nested is a VARIANT', () => {
    expect(tableOf(sink).columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'RECORD_METADATA VARIANT',
      'ORIGIN VARCHAR',
      'WINDOW_START TIMESTAMP_TZ',
      'FLIGHTS NUMBER(38,0)',
      'MEAN_DELAY FLOAT',
      'CANCELLED BOOLEAN',
      'CREW VARIANT',
    ])
  })

  it('is made after its database and schema, with every name quoted', () => {
    const statements = creationOf(tableOf(sink))
    expect(statements.slice(0, 2)).toEqual([
      'CREATE DATABASE IF NOT EXISTS "FLIGHTS"',
      'CREATE SCHEMA IF NOT EXISTS "FLIGHTS"."RESULTS"',
    ])
    expect(statements[2]).toContain(
      'CREATE TABLE IF NOT EXISTS "FLIGHTS"."RESULTS"."DEPARTURES" ("RECORD_METADATA" VARIANT,',
    )
    expect(qualifiedName(tableOf(sink))).toBe('"FLIGHTS"."RESULTS"."DEPARTURES"')
  })

  it('lacks the columns that its description does not show, and can get them', () => {
    const table = tableOf(sink)
    const described = table.columns.filter(({ name }) => !['CREW', 'FLIGHTS'].includes(name))
    const missing = missingColumns(table, described)
    expect(missing.map(({ name }) => name)).toEqual(['FLIGHTS', 'CREW'])
    expect(additionOf(table, missing)).toBe(
      'ALTER TABLE "FLIGHTS"."RESULTS"."DEPARTURES" ADD COLUMN "FLIGHTS" NUMBER(38,0), "CREW" VARIANT',
    )
  })

  it('differs where a column has another type, not where the warehouse only writes out a default', () => {
    const described = [
      { name: 'ORIGIN', type: 'VARCHAR(16777216)' },
      { name: 'WINDOW_START', type: 'TIMESTAMP_TZ(9)' },
      { name: 'FLIGHTS', type: 'NUMBER(10,2)' },
    ]
    expect(mismatchedColumns(tableOf(sink), described).map(({ column }) => column.name)).toEqual(['FLIGHTS'])
  })

  it.each([
    ['windowStart', 'WINDOW_START'],
    ['window_start', 'WINDOW_START'],
    ['HTTPStatus', 'HTTP_STATUS'],
    ['delay-minutes', 'DELAY_MINUTES'],
    ['p95Ms', 'P95_MS'],
  ])('calls the column of "%s" %s', (field, expected) => expect(columnName(field)).toBe(expected))

  it.each([
    ['two properties that would share a column', { windowStart: { type: 'string' }, window_start: { type: 'string' } }],
    ['a property with the name of the metadata', { recordMetadata: { type: 'string' } }],
    ['a property that Connect cannot rename', { 'a:b': { type: 'string' } }],
  ])('refuses %s', (_, properties) => {
    const from = eventType('odd', { schema: { type: 'object', properties } })
    expect(() => tableOf(snowflake({ from, database: 'D', schema: 'S', table: 'T' }))).toThrow(RangeError)
  })
})

import { count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline, toTopic } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePipeline } from '../src/compile.ts'
import * as sql from '../src/sql.ts'
import { environment } from './pipelines.ts'
import { tokensOf } from './sql-tokens.ts'

const dangerous = ["'", '`', '"', '\\', '\n', '\r', ';', '--', '/*', '*/', '//', '\t', '\u001a', '\u2028', '\u0085']
const injected = ["' OR TRUE --", '`; DROP TABLE x; --', "'';END;", '\\', "\\'", 'U&', "ü' --", '${x}', '{{x}}', '😀']
const piece = fc.oneof(fc.constantFrom(...dangerous, ...injected), fc.string({ unit: 'binary', maxLength: 5 }))
const literal = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
const wellFormed = literal.filter((text) => text.isWellFormed() && !text.includes('\0'))
// JavaScript orders properties that are whole numbers before all others.
const name = wellFormed.filter((text) => text !== '' && !/[\n\r]/.test(text) && !/^\d+$/.test(text))

type Names = { readonly field: string; readonly group: string; readonly total: string; readonly value: string }

function statementsOf({ field, group, total, value }: Names): readonly string[] {
  const type = eventType('order.placed', {
    schema: { type: 'object', properties: { [field]: { type: 'string' }, amount: { type: 'number' } } },
  })
  const compiled = pipeline('spend')
    .from(type)
    .where((event) => columnOf(event, field).eq(value).or(columnOf(event, field).ne('it')))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .late(toTopic())
    .groupBy((event) => ({ [group]: columnOf(event, field) }))
    .aggregate((event) => ({ [total]: sum(event.amount), orders: count() }))
  return compilePipeline(compiled, { ...environment, schemaUrl: () => value, truststoreFile: value }).statements
}

function columnOf<C>(columns: Readonly<Record<string, C>>, name: string): C {
  const found = columns[name]
  if (found === undefined) throw new RangeError(name)
  return found
}

/** Statements without what stands in literals and identifiers. */
function shapeOf(statements: readonly string[]): string[] {
  return statements.map((statement) =>
    tokensOf(statement)
      .map(({ kind, text }) => (kind === 'literal' || kind === 'identifier' ? kind : text))
      .join(' '),
  )
}

function textsOf(statements: readonly string[], kind: 'literal' | 'identifier'): Set<string> {
  return new Set(statements.flatMap(tokensOf).flatMap((token) => (token.kind === kind ? [token.text] : [])))
}

describe('whatever a name or value holds', () => {
  const tame = shapeOf(statementsOf({ field: 'field', group: 'group', total: 'total', value: 'value' }))

  test('it is a name or a value, and the statements around it are the same', () => {
    const names = fc.uniqueArray(name, { minLength: 3, maxLength: 3, comparator: (a, b) => a === b })
    fc.assert(
      fc.property(names, wellFormed, ([field = '', group = '', total = ''], value) => {
        fc.pre(![field, group, total].some((text) => ['amount', 'orders', 'windowStart', 'windowEnd'].includes(text)))
        const statements = statementsOf({ field, group, total, value })
        expect(shapeOf(statements)).toEqual(tame)
        expect(textsOf(statements, 'literal')).toContain(value)
        const identifiers = textsOf(statements, 'identifier')
        for (const text of [field, group, total, `_${group}`, `_${total}`]) expect(identifiers).toContain(text)
      }),
    )
  })

  test('a literal is one token that stands for it', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        expect(tokensOf(sql.text(value))).toEqual([{ kind: 'literal', text: value }])
      }),
    )
  })

  test('an identifier is one token that stands for it', () => {
    fc.assert(
      fc.property(name, (value) => {
        expect(tokensOf(sql.identifier(value))).toEqual([{ kind: 'identifier', text: value }])
      }),
    )
  })

  test('a type inside a literal has its names as identifiers of its own', () => {
    fc.assert(
      fc.property(name, (field) => {
        fc.pre(field !== 'amount')
        const statements = statementsOf({ field, group: 'group', total: 'total', value: 'value' })
        const [type] = [...textsOf(statements, 'literal')].filter((text) => text.startsWith('ROW<'))
        const identifiers = tokensOf(type ?? '').filter(({ kind }) => kind === 'identifier')
        expect(identifiers.map(({ text }) => text)).toEqual([field, 'amount'])
      }),
    )
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', 'record_key', 'record_headers', 'event', 'window_start'])(
    'a group may be called %s',
    (group) => {
      expect(shapeOf(statementsOf({ field: 'field', group, total: 'total', value: 'value' }))).toEqual(tame)
    },
  )
})

describe('what SQL cannot write is refused', () => {
  test.each(['a\0b', '\ud800', 'a\udc00'])('the text %j', (text) => {
    expect(() => sql.text(text)).toThrow(RangeError)
    expect(() => sql.identifier(text)).toThrow(RangeError)
  })

  test.each(['', 'a\nb', 'a\rb', 'a'.repeat(257)])('the name %j', (text) => {
    expect(() => sql.identifier(text)).toThrow(RangeError)
  })

  test.each([NaN, Infinity, -Infinity])('the number %d', (value) => {
    expect(() => sql.number(value)).toThrow(RangeError)
  })

  test('an interval of a hundred days', () => {
    expect(sql.interval(8_640_000_000 - 1)).toBe("INTERVAL '99 23:59:59.999' DAY TO SECOND(3)")
    expect(() => sql.interval(8_640_000_000)).toThrow(RangeError)
  })
})

test('every number is written so that it is read as itself', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(sql.number(value))).toBe(value + 0)
      expect(tokensOf(sql.number(Math.abs(value)))).toHaveLength(1)
    }),
  )
})

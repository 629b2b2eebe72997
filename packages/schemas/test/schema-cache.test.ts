import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { afterEach, describe, expect, test } from 'vitest'
import { type CachedSchema, openSchemaCache, type SchemaCacheOptions, type SchemaLookUp } from '../src/schema-cache.ts'

type Kept = NonNullable<Awaited<ReturnType<SchemaLookUp['byId']>>>

/** A registry in memory that counts what it is asked, and can be away. */
function registryOf(byId: Record<number, Kept>, versions: Record<string, Omit<Kept, 'type'>> = {}) {
  const state = { asked: 0, away: false, subjects: ['orders-value'] }
  const answer = <V>(value: V): Promise<V> => {
    state.asked++
    return state.away
      ? Promise.reject(new MillraceError('registry.unavailable', 'no answer'))
      : new Promise((resolve) => setImmediate(() => resolve(value)))
  }
  const registry: SchemaLookUp = {
    byId: (id) => answer(byId[id]),
    version: (subject, version) => answer(versions[`${subject}:${version}`]),
    subjectsOf: () => answer(state.subjects),
  }
  return { registry, state }
}

const text: Kept = { type: 'AVRO', schema: '"string"', references: [] }
const snapshotFile = join(tmpdir(), `schemas-${randomUUID()}.json`)
let clock = 0
const open = (registry: SchemaLookUp, options: SchemaCacheOptions = {}) =>
  openSchemaCache(registry, { now: () => clock, ...options })

afterEach(() => {
  rmSync(snapshotFile, { force: true })
})

describe('a schema', () => {
  test('is asked for once, however many need it at once, and known from then on', async () => {
    const { registry, state } = registryOf({ 7: text })
    const cache = open(registry)
    expect(cache.known(7)).toBeUndefined()
    const [one, other] = await Promise.all([cache.byId(7), cache.byId(7)])
    expect(one).toEqual({ id: 7, format: 'avro', schema: '"string"', references: [], subjects: ['orders-value'] })
    expect(other).toBe(one)
    state.away = true
    clock += 1e9
    expect(await cache.byId(7)).toEqual(one)
    expect(cache.known(7)).toEqual(one)
    expect(state.asked).toBe(2)
  })

  test('that is not there is asked for again after a while', async () => {
    const schemas: Record<number, Kept> = {}
    const { registry, state } = registryOf(schemas)
    const cache = open(registry, { absentMs: 5_000 })
    expect(await cache.byId(1)).toBeUndefined()
    clock += 4_999
    schemas[1] = text
    expect(await cache.byId(1)).toBeUndefined()
    expect(state.asked).toBe(1)
    clock += 1
    expect(await cache.byId(1)).toMatchObject({ id: 1 })
  })

  test('is learnt from elsewhere, and keeps the subjects of before', async () => {
    const { registry, state } = registryOf({})
    const cache = open(registry)
    const schema: CachedSchema = { id: 3, format: 'json', schema: {}, references: [], subjects: ['a'] }
    cache.learn(schema)
    cache.learn({ ...schema, subjects: ['b'] })
    expect(await cache.byId(3)).toEqual({ ...schema, subjects: ['a', 'b'] })
    expect(state.asked).toBe(0)
  })

  test('gains a subject when one is asked for; during an outage it cannot be told whether it has it', async () => {
    const { registry, state } = registryOf({ 7: text })
    const cache = open(registry)
    await cache.byId(7)
    state.away = true
    await expect(cache.byId(7, 'new one-value')).rejects.toMatchObject({ code: 'registry.unavailable' })
    expect((await cache.byId(7, 'orders-value'))?.subjects).toEqual(['orders-value'])
    state.away = false
    state.subjects = ['orders-value', 'new one-value']
    clock += 1_000
    expect((await cache.byId(7, 'new one-value'))?.subjects).toEqual(state.subjects)
  })

  test('goes when others need the room', async () => {
    const { registry } = registryOf({ 1: text, 2: text, 3: text })
    const cache = open(registry, { bytesMax: 500 })
    await cache.byId(1)
    await cache.byId(2)
    cache.known(1)
    await cache.byId(3)
    expect([1, 2, 3].map((id) => cache.known(id)?.id)).toEqual([1, undefined, 3])
  })
})

describe('during an outage', () => {
  test('the registry is asked once a second, whatever is asked of the cache', async () => {
    const { registry, state } = registryOf({ 1: text, 2: text })
    const cache = open(registry, { retryMs: 1_000 })
    state.away = true
    const ask = async (id: number) =>
      cache.byId(id).then(
        () => 'known',
        (error: unknown) => error,
      )
    for (let ms = 0; ms < 3_000; ms += 100, clock += 100) {
      const answers = await Promise.all([ask(1), ask(2), ask(1)])
      for (const answer of answers) expect(answer).toMatchObject({ code: 'registry.unavailable' })
    }
    // The first two were under way before anybody knew.
    expect(state.asked).toBe(4)
    state.away = false
    clock += 1_000
    expect(await cache.byId(1)).toMatchObject({ id: 1 })
    expect(await cache.byId(2)).toMatchObject({ id: 2 })
  })

  test('no more than so many questions wait for an answer', async () => {
    const { registry } = registryOf({})
    const cache = open(registry)
    const answers = await Promise.allSettled(Array.from({ length: 100 }, (_, id) => cache.byId(id)))
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(36)
  })
})

describe('references', () => {
  const ref = (name: string, version = 1) => ({ name, subject: name, version })
  const kept = (...references: string[]): Kept => ({ ...text, references: references.map((name) => ref(name)) })

  test('are followed, each once', async () => {
    const { registry, state } = registryOf(
      { 1: kept('a', 'b') },
      {
        'a:1': { schema: 'A', references: [ref('c')] },
        'b:1': { schema: 'B', references: [ref('c')] },
        'c:1': { schema: 'C', references: [] },
      },
    )
    const cache = open(registry)
    const names = (await cache.byId(1))?.references
    expect(names).toEqual([
      { name: 'a', schema: 'A' },
      { name: 'c', schema: 'C' },
      { name: 'b', schema: 'B' },
    ])
    expect(state.asked).toBe(5)
  })

  test.each([
    ['to nothing', {}, /does not have/],
    [
      'in a circle',
      {
        'a:1': { schema: 'A', references: [ref('b')] },
        'b:1': { schema: 'B', references: [{ ...ref('a'), name: 'x' }] },
      },
      /refers to itself/,
    ],
    ['of one name to two things', { 'a:1': { schema: 'A', references: [{ ...ref('b'), name: 'a' }] } }, /is both/],
    [
      'without end',
      Object.fromEntries(
        Array.from({ length: 30 }, (_, n) => [
          `${n === 0 ? 'a' : `n${n}`}:1`,
          { schema: '', references: [ref(`n${n + 1}`)] },
        ]),
      ),
      /levels deep/,
    ],
    [
      'to too many',
      {
        'a:1': {
          schema: '',
          references: Array.from({ length: 101 }, (_, n) => ref('a2', n)).map((r, n) => ({ ...r, name: `n${n}` })),
        },
        ...Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`a2:${n}`, { schema: '', references: [] }])),
      },
      /refer to 100/,
    ],
  ])('%s are refused, and not asked for again at once', async (_what, versions, reason) => {
    const { registry, state } = registryOf({ 1: kept('a') }, versions)
    const cache = open(registry)
    await expect(cache.byId(1)).rejects.toThrow(reason)
    const { asked } = state
    await expect(cache.byId(1)).rejects.toMatchObject({ code: 'registry.refused' })
    expect(state.asked).toBe(asked)
  })
})

describe('a snapshot', () => {
  test('lets a restart during an outage know what was known, and only its owner may read it', async () => {
    const before = registryOf({ 7: text })
    const cache = open(before.registry, { snapshotFile })
    const schema = await cache.byId(7)
    await cache.close()
    expect(statSync(snapshotFile).mode & 0o777).toBe(0o600)
    const after = registryOf({})
    after.state.away = true
    const restarted = open(after.registry, { snapshotFile })
    expect(await restarted.byId(7)).toEqual(schema)
    expect(after.state.asked).toBe(0)
    await restarted.close()
  })

  test('is written by itself after a change', async () => {
    const { registry } = registryOf({ 7: text })
    const cache = open(registry, { snapshotFile, snapshotMs: 1 })
    await cache.byId(7)
    await expect.poll(() => readFileSync(snapshotFile, 'utf8')).toMatch('"id":7')
    await cache.close()
  })

  test.each(['', '{', '{"version":2,"schemas":[]}', '{"version":1,"schemas":[{"id":"x"}]}'])(
    'that is broken is left aside with a warning: %s',
    async (content) => {
      writeFileSync(snapshotFile, content)
      const warnings: string[] = []
      const { registry } = registryOf({ 7: text })
      const cache = open(registry, { snapshotFile, warn: (message) => warnings.push(message) })
      expect(warnings).toEqual([expect.stringContaining(snapshotFile)])
      expect(await cache.byId(7)).toMatchObject({ id: 7 })
      await cache.close()
      expect(open(registry, { snapshotFile }).known(7)).toMatchObject({ id: 7 })
    },
  )

  test('that cannot be written is a warning, and nothing else', async () => {
    const warnings: string[] = []
    const { registry } = registryOf({ 7: text })
    const nowhere = join(snapshotFile, 'nowhere', 'file')
    const cache = open(registry, { snapshotFile: nowhere, warn: (message) => warnings.push(message) })
    expect(await cache.byId(7)).toMatchObject({ id: 7 })
    await cache.close()
    expect(warnings).toEqual([expect.stringContaining('cannot be written')])
  })
})

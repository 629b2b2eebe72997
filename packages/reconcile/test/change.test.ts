import { setImmediate } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { expect, test } from 'vitest'
import { applyChanges, type Change } from '../src/change.ts'

/** What is applied, and how many at once at most; `fails` says of which the application fails. */
function watched(changes: readonly [Change['resource'], string][], fails: (name: string) => boolean = () => false) {
  const told: string[] = []
  let [now, most] = [0, 0]
  const planned = changes.map(([resource, name]): Change => {
    const apply = async () => {
      now += 1
      most = Math.max(most, now)
      await setImmediate()
      now -= 1
      if (fails(name)) throw new MillraceError('flink.refused', `no ${name}`)
      told.push(name)
    }
    return { resource, name, action: 'create', detail: '', apply }
  })
  return { planned, told, most: () => most }
}

const jobs = Array.from({ length: 10 }, (_, number): ['job', string] => ['job', `job ${number}`])

test('what is no job is made alone, in the order of the plan', async () => {
  const { planned, told, most } = watched([
    ['topic', 'a'],
    ['schema', 'b'],
    ['topic', 'c'],
  ])
  const reported: string[] = []
  await applyChanges(planned, ({ name }) => reported.push(name))
  expect({ told, reported, most: most() }).toEqual({ told: ['a', 'b', 'c'], reported: ['a', 'b', 'c'], most: 1 })
})

test('jobs are made four at once, after what stands before them and before what stands after', async () => {
  const { planned, told, most } = watched([['topic', 'first'], ...jobs, ['connector', 'last']])
  await applyChanges(planned, () => undefined)
  expect(most()).toBe(4)
  expect(told).toHaveLength(12)
  expect([told.at(0), told.at(-1)]).toEqual(['first', 'last'])
})

test('jobs that fail keep nothing else from being made, and are told of in the end', async () => {
  const { planned, told } = watched([...jobs, ['connector', 'last']], (name) => /[0-6]$/.test(name))
  await expect(applyChanges(planned, () => undefined)).rejects.toMatchObject({
    code: 'flink.refused',
    message: jobs
      .slice(0, 7)
      .map(([, name]) => `no ${name}`)
      .join('\n'),
  })
  expect(told).toEqual(['job 7', 'job 8', 'job 9', 'last'])
})

test('what is no job keeps what stands after it from being made', async () => {
  const { planned, told } = watched(
    [
      ['topic', 'a'],
      ['schema', 'b'],
      ['connector', 'last'],
    ],
    (name) => name === 'b',
  )
  await expect(applyChanges(planned, () => undefined)).rejects.toThrow('no b')
  expect(told).toEqual(['a'])
})

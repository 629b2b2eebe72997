import { expect, test } from 'vitest'
import { drills } from '../src/drills.ts'
import { requireFaultProxy } from '../src/network.ts'

test('a drill of the network says how to start the stack for it, before anything is sent', () => {
  const asking = drills.filter(({ requires }) => requires !== undefined).map(({ name }) => name)
  expect(asking).toEqual(expect.arrayContaining(['network-cut', 'broker-partition', 'registry-garbage']))
  expect(() => requireFaultProxy({ faults: false })).toThrow('start it with "npx millrace up --faults"')
  expect(() => requireFaultProxy({ faults: true })).not.toThrow()
})

import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { openAdmin } from '@millrace/kafka/admin'
import { projectDirectory } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'

const { stateDirectory, connection } = stack()
const cli = resolve(projectDirectory, 'apps/cli/src/main.ts')
const platform = resolve(projectDirectory, 'packages/testkit/src/platform.ts')
const changesShape = z.array(
  z.object({ resource: z.string(), action: z.string(), name: z.string(), detail: z.string() }),
)

async function changesOf(command: 'plan' | 'apply') {
  const words = [cli, command, '--json', '--state', stateDirectory, '--platform', platform]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  return changesShape.parse(JSON.parse(stdout))
}

test('what runs is what the definition says; what somebody changed by hand is found, and put right by apply', async () => {
  expect(await changesOf('plan')).toEqual([])
  const admin = openAdmin(connection('admin'))
  onTestFinished(() => admin.close())
  await admin.setTopicConfig('order.placed', { 'retention.ms': '3600000' })
  await admin.deleteAcls((await admin.describeAcls()).filter(({ principal }) => principal === 'User:auditor'))

  const differences = [
    expect.objectContaining({ resource: 'acl', action: 'create', name: 'User:auditor' }),
    expect.objectContaining({ resource: 'topic', action: 'update', name: 'order.placed' }),
  ]
  const planned = await changesOf('plan')
  expect(planned).toHaveLength(2)
  expect(planned).toEqual(expect.arrayContaining(differences))
  expect(await changesOf('apply')).toEqual(planned)
  expect(await changesOf('plan')).toEqual([])
})

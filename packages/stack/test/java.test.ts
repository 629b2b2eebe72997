import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { findJava } from '../src/java.ts'
import { fakeJavaHome } from './fake-java.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'java-'))
  onTestFinished(() => rm(folder, { recursive: true }))
})

const home = (version: string) => fakeJavaHome(join(folder, version), version)
const pathTo = async (version: string) => join(await home(version), 'bin')

test('the Java that JAVA_HOME names is taken, though a newer one is there', async () => {
  const javaHome = await home('90.0.1')
  const found = await findJava({ javaHome, path: await pathTo('95') }, 90)
  expect(found).toEqual({ command: join(javaHome, 'bin/java'), major: 90 })
})

test('without a JAVA_HOME that is new enough, the newest on the path is taken', async () => {
  const path = [await pathTo('90'), await pathTo('95.0.2'), await pathTo('1.8.0_292')].join(':')
  for (const javaHome of [undefined, '', join(folder, 'nowhere'), await home('89')]) {
    await expect(findJava({ javaHome, path }, 90)).resolves.toMatchObject({ major: 95 })
  }
})

test('where none is new enough, one sentence says what was found and the way out', async () => {
  const old = findJava({ javaHome: await home('98'), path: '' }, 99)
  await expect(old).rejects.toMatchObject({
    code: 'config.invalid', // a program that ends with this exits with 2
    message:
      'Java 99 or newer is needed (the schema registry does not run on less) and only Java 98 was found: install one, or let JAVA_HOME point to it',
  })
})

test('a file called java that is none is passed over', async () => {
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/java'), 'not a program', { mode: 0o755 })
  const path = [join(folder, 'bin'), await pathTo('91')].join(':')
  await expect(findJava({ javaHome: folder, path }, 90)).resolves.toMatchObject({ major: 91 })
})

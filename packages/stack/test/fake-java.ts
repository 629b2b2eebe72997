import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder with a `bin/java` that answers `-version`, and formats the disk that the broker settings in its argument file name. */
export async function fakeJavaHome(home: string, version: string): Promise<string> {
  const program = `#!${process.execPath}
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const words = process.argv.slice(2)
if (words[0] === '-version') console.error('openjdk version "${version}" 2026-01-01')
else {
  const [, clusterId, settings] = /"--cluster-id"\\n"(.*)"\\n"--config"\\n"(.*)"/.exec(readFileSync(words.at(-1).slice(1), 'utf8'))
  const [, disk] = /^log.dirs=(.*)$/m.exec(readFileSync(settings, 'utf8'))
  const [, node] = /^node.id=(.*)$/m.exec(readFileSync(settings, 'utf8'))
  mkdirSync(disk, { recursive: true })
  writeFileSync(disk + '/bootstrap.checkpoint', words.join(' '))
  writeFileSync(disk + '/meta.properties', 'version=1\\ncluster.id=' + clusterId + '\\ndirectory.id=first\\nnode.id=' + node + '\\n')
}
`
  await mkdir(join(home, 'bin'), { recursive: true })
  await writeFile(join(home, 'bin/java'), program)
  await chmod(join(home, 'bin/java'), 0o755)
  return home
}

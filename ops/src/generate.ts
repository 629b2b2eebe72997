import { writeFile } from 'node:fs/promises'
import { rulesFile } from './rules.ts'

await writeFile(new URL('../generated/alerts.json', import.meta.url), rulesFile())

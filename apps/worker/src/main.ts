import { readConfig } from '@millrace/service/config'
import { runService } from '@millrace/service/lifecycle'
import { workerConfig } from './config.ts'
import { startWorker } from './worker.ts'

await runService('worker', async (lifecycle) =>
  startWorker(await readConfig(workerConfig, process.argv.slice(2)), lifecycle),
)

import { readConfig } from '@millrace/service/config'
import { runService } from '@millrace/service/lifecycle'
import { monitorConfig } from './config.ts'
import { startMonitor } from './monitor.ts'

await runService('monitor', async (lifecycle) =>
  startMonitor(await readConfig(monitorConfig, process.argv.slice(2)), lifecycle),
)

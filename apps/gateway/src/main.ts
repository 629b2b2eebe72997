import { readConfig } from '@millrace/service/config'
import { runService } from '@millrace/service/lifecycle'
import { gatewayConfig } from './config.ts'
import { startGateway } from './gateway.ts'

await runService('gateway', async (lifecycle) =>
  startGateway(await readConfig(gatewayConfig, process.argv.slice(2)), lifecycle),
)

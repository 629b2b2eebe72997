import { readConfig } from '@millrace/service/config'
import { runService } from '@millrace/service/lifecycle'
import { configSchema } from './config.ts'
import { doubleName } from './identity.ts'
import { startWarehouseDouble } from './server.ts'

await runService(doubleName, async ({ logger }) => {
  const config = await readConfig(configSchema, process.argv.slice(2))
  return startWarehouseDouble(config, logger)
})

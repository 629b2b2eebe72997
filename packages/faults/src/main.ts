import { readConfig } from '@millrace/service/config'
import { runService } from '@millrace/service/lifecycle'
import { configSchema } from './config.ts'
import { openControl } from './control.ts'
import { openFaultProxy } from './proxy.ts'

await runService('fault-proxy', async ({ onClose }) => {
  const { controlSocket, listeners } = await readConfig(configSchema, process.argv.slice(2))
  const proxy = await openFaultProxy(
    listeners.map(({ name, port, targetPort }) => ({ name, port, target: { host: '127.0.0.1', port: targetPort } })),
  )
  onClose('the listeners', proxy.close)
  return openControl(proxy, controlSocket)
})

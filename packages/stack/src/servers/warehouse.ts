import { join } from 'node:path'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'

export const warehouseAccount = 'MILLRACE'
export const warehouseUser = 'MILLRACE_CONNECT'
export const warehouseRole = 'MILLRACE_LOADER'
/** What an account's host looks like; Connect's JVM resolves it to loopback, where the double listens. */
export const warehouseHost = 'millrace.snowflakecomputing.com'

/** The double of Snowflake: its wire protocol on DuckDB, for machines without an account. */
export function warehouseServer(installation: Installation): ServerSpec {
  const { layout, ports, secrets } = installation
  return {
    kind: 'server',
    name: 'warehouse-double',
    dependsOn: [],
    address: `http://127.0.0.1:${ports.warehouse}`,
    ports: [ports.warehouse],
    ...nodeProgram(layout, 'warehouse-double', join(projectDirectory, 'packages/warehouse-double/src/main.ts'), () => ({
      host: '127.0.0.1',
      port: ports.warehouse,
      publicHost: `${warehouseHost}:${ports.warehouse}`,
      dataDir: join(layout.data, 'warehouse-double'),
      account: warehouseAccount,
      users: [{ name: warehouseUser, publicKeyFile: secrets.warehousePublicKeyFile }],
    })),
    probe: httpProbe(`http://127.0.0.1:${ports.warehouse}/health/ready`),
  }
}

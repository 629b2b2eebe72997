import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openWarehouse, type Warehouse } from '@millrace/connect/snowflake-sql'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'

const warehouseAccount = 'MILLRACE'
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

const statementTimeoutMs = 30_000

/** The installation's warehouse by its SQL API, signed in with the key that Connect has too. */
export async function warehouseOf({ ports, secrets }: Installation): Promise<Warehouse> {
  return openWarehouse({
    url: `http://127.0.0.1:${ports.warehouse}`,
    account: warehouseAccount,
    user: warehouseUser,
    role: warehouseRole,
    privateKeyPem: await readFile(secrets.warehouseKeyFile, 'utf8'),
    timeoutMs: statementTimeoutMs,
  })
}

/** What processes listen on (Linux: `/proc`). */
import { readdir, readFile, readlink } from 'node:fs/promises'

const listening = '0A'

/** The addresses, in the kernel's words, on which these processes listen. */
export async function listeningAddresses(pids: readonly number[]): Promise<string[]> {
  const inodes = new Set((await Promise.all(pids.map(socketsOf))).flat())
  const sockets = [...(await listeningSockets('/proc/net/tcp')), ...(await listeningSockets('/proc/net/tcp6'))]
  return sockets.filter(({ inode }) => inodes.has(inode)).map(({ address }) => address)
}

/** The socket inodes that a process holds open. */
async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`
  const links = await Promise.all(
    (await readdir(directory)).map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  )
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
}

async function listeningSockets(file: string): Promise<{ address: string; inode: string }[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n')
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const [address = ''] = (fields[1] ?? '').split(':')
    return fields[3] === listening ? [{ address, inode: fields[9] ?? '' }] : []
  })
}

/** 127.0.0.1, ::1 and ::ffff:127.0.0.1 as the kernel prints them: words of 32 bits, each with its bytes reversed. */
export function isLoopback(address: string): boolean {
  return (
    address === '0100007F' ||
    address === '00000000000000000000000001000000' ||
    address === '0000000000000000FFFF00000100007F'
  )
}

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Gpu {
  readonly name: string
  readonly totalBytes: number
  readonly freeBytes: number
}

/** What a machine has, and how much of it is free now. */
export interface Devices {
  readonly cpu: {
    readonly name: string
    readonly cores: number
    /** Runnable processes, mean over the last minute; 0 where the system does not tell. */
    readonly load: number
  }
  /** Within the limit of the container, where there is one. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number }
  /** GPUs that can be seen: NVIDIA by `nvidia-smi`, AMD by the kernel. Empty where none is visible. */
  readonly gpus: readonly Gpu[]
}

export interface DeviceProbes {
  /** What `nvidia-smi` prints for name, total and free memory in MiB; rejects where there is none. @default runs it */
  readonly nvidia?: () => Promise<string>
  /** Folder of the kernel's graphics cards. @default /sys/class/drm */
  readonly drm?: string
}

const MIB = 1024 * 1024
const PROBE_MS = 3000
const QUERY = ['--query-gpu=name,memory.total,memory.free', '--format=csv,noheader,nounits']

const runNvidiaSmi = async (): Promise<string> =>
  (await promisify(execFile)('nvidia-smi', QUERY, { timeout: PROBE_MS })).stdout

/** Looks at the machine. A probe that finds nothing gives nothing; none fails. */
export async function readDevices(probes: DeviceProbes = {}): Promise<Devices> {
  const { nvidia = runNvidiaSmi, drm = '/sys/class/drm' } = probes
  const found = await Promise.all([nvidia().then(readNvidia, () => []), readAmd(drm).catch(() => [])])
  const processors = cpus()
  return {
    cpu: {
      name: processors[0]?.model.trim() || 'unknown',
      cores: Math.max(1, processors.length),
      load: loadavg()[0] ?? 0,
    },
    memory: readMemory(),
    gpus: found.flat(),
  }
}

/** Memory of the machine or of its container, whichever is less. */
export function readMemory(): Devices['memory'] {
  // 0 or more than there is where nothing limits this process.
  const limit = process.constrainedMemory()
  const totalBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return { totalBytes, availableBytes: Math.min(process.availableMemory(), totalBytes) }
}

/** Lines such as `NVIDIA H200, 143771, 143000`; others are left out. */
function readNvidia(text: string): readonly Gpu[] {
  return text.split('\n').flatMap(line => {
    const [name = '', total, free] = line.split(',').map(part => part.trim())
    const [totalBytes, freeBytes] = [Number(total) * MIB, Number(free) * MIB]
    return name && totalBytes > 0 && freeBytes >= 0 ? [{ name, totalBytes, freeBytes }] : []
  })
}

/** `mem_info_vram_*` of the amdgpu driver. */
async function readAmd(drm: string): Promise<readonly Gpu[]> {
  const cards = (await readdir(drm)).filter(name => /^card\d+$/.test(name)).toSorted()
  const gpus = await Promise.all(
    cards.map(async (card): Promise<readonly Gpu[]> => {
      const number = async (name: string): Promise<number> =>
        Number((await readFile(join(drm, card, 'device', name), 'utf8')).trim())
      try {
        const [totalBytes, used] = [await number('mem_info_vram_total'), await number('mem_info_vram_used')]
        const name = `AMD GPU ${card}`
        return totalBytes > 0 ? [{ name, totalBytes, freeBytes: Math.max(0, totalBytes - used) }] : []
      } catch {
        return [] // another driver
      }
    }),
  )
  return gpus.flat()
}

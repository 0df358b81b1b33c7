import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDevices } from './devices.ts'

const absent = (): Promise<string> => Promise.reject(new Error('no such program'))

describe('the inventory of devices', () => {
  it('knows processors and memory of this machine, and no GPU where none is visible', async () => {
    const { cpu, memory, gpus } = await readDevices({ nvidia: absent, drm: '/nowhere' })
    expect(cpu.cores).toBeGreaterThan(0)
    expect(memory.availableBytes).toBeGreaterThan(0)
    expect(memory.availableBytes).toBeLessThanOrEqual(memory.totalBytes)
    expect(gpus).toEqual([])
  })

  it('reads what nvidia-smi prints, and leaves out lines that say nothing', async () => {
    const nvidia = async (): Promise<string> => 'NVIDIA H200, 143771, 143000\n[N/A], [N/A], [N/A]\n\n'
    const mib = 1024 * 1024
    const { gpus } = await readDevices({ nvidia, drm: '/nowhere' })
    expect(gpus).toEqual([{ name: 'NVIDIA H200', totalBytes: 143_771 * mib, freeBytes: 143_000 * mib }])
  })

  it('reads the memory of AMD cards from the kernel, past cards of other drivers', async () => {
    const drm = mkdtempSync(join(tmpdir(), 'modelnet-drm-'))
    mkdirSync(join(drm, 'card0', 'device'), { recursive: true })
    mkdirSync(join(drm, 'card1', 'device'), { recursive: true })
    writeFileSync(join(drm, 'card1', 'device', 'mem_info_vram_total'), '8000\n')
    writeFileSync(join(drm, 'card1', 'device', 'mem_info_vram_used'), '3000\n')
    expect((await readDevices({ nvidia: absent, drm })).gpus).toEqual([
      { name: 'AMD GPU card1', totalBytes: 8000, freeBytes: 5000 },
    ])
  })
})

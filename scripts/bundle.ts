/**
 * Puts the program into few files, `dist/program/`, which `bin/modelnet.js` runs: a node starts in a third of the CPU
 * time (`docs/decisions/2026-11-28-program-in-few-files.md`). What other programs import stays as `tsc` writes it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { describeLicences } from './licences.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'dist/program')
const llama = join(root, 'node_modules/node-llama-cpp')
const home = fileURLToPath(new URL('./llama-home.ts', import.meta.url))
const binaryTrial = fileURLToPath(new URL('./llama-binary-trial.ts', import.meta.url))

const { version } = JSON.parse(readFileSync(join(llama, 'package.json'), 'utf8')) as { version: string } // of npm

/**
 * node-llama-cpp finds its binaries and files by where its own modules lie, so each module is told where it was, and
 * binaries are imported as from there. Modules that nothing of ours leads to are left out: they download and compile.
 */
const llamaCpp: Plugin = {
  name: 'node-llama-cpp',
  setup(bundle) {
    const modules = join(llama, 'dist/')
    bundle.onResolve({ filter: /^(node-llama-cpp$|\.)/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === 'resolved' || (path !== 'node-llama-cpp' && !importer.startsWith(modules))) return
      if (path.endsWith('/testBindingBinary.js')) return { path: binaryTrial }
      const resolved = await bundle.resolve(path, { importer, resolveDir, kind, pluginData: 'resolved' })
      return { ...resolved, sideEffects: false }
    })
    // Needed to download models only, which we do ourselves; with a binary of its own.
    bundle.onResolve({ filter: /^ipull$/ }, () => ({ path: 'ipull', external: true, sideEffects: false }))
    bundle.onLoad({ filter: /node-llama-cpp[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const place = `new URL(${JSON.stringify(relative(llama, path).replaceAll('\\', '/'))}, home).href`
      const text = readFileSync(path, 'utf8')
        .replace(/^\/\/# sourceMappingURL=.*$/m, '')
        .replaceAll('import.meta.url', place)
        .replaceAll('import("@node-llama-cpp/', 'importFromThere("@node-llama-cpp/')
      return { contents: `import { home, importFromThere } from ${JSON.stringify(home)}\n${text}` }
    })
  },
}

/** Of zod's messages in fifty languages we use the English ones. */
const zodLocales: Plugin = {
  name: 'zod-locales',
  setup(bundle) {
    bundle.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js'",
      resolveDir: dirname(path),
    }))
  },
}

rmSync(target, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { modelnet: 'src/application/cli.ts', 'inference-worker': 'src/resource/inference-worker.ts' },
  outdir: target,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Loads a binary that lies beside its own files.
  external: ['classic-level'],
  plugins: [llamaCpp, zodLocales],
  define: { LLAMA_VERSION: JSON.stringify(version) },
  // Packages that are CommonJS still call `require` for what belongs to Node.
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
  },
  legalComments: 'none', // LICENCES.txt has them whole
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(target, 'LICENCES.txt'), describeLicences(root, Object.keys(metafile.inputs)))

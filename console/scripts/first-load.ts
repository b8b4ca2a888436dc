/** Which modules a browser needs before the first picture: they go into one file, for each file costs a request and a task. */
import { build, type InlineConfig, type Rolldown } from 'vite'

/** Build once without writing, and follow what the entry imports. */
export async function firstModules(config: InlineConfig): Promise<Set<string>> {
  const built = (await build({ ...config, configFile: false, logLevel: 'silent', build: { ...config.build, write: false } })) as Rolldown.RolldownOutput
  const chunks = new Map(built.output.filter((file) => file.type === 'chunk').map((chunk) => [chunk.fileName, chunk]))
  const entry = [...chunks.values()].find((chunk) => chunk.isEntry && chunk.facadeModuleId?.endsWith('index.html'))
  if (!entry) throw new Error('the build has no entry of index.html')
  const reached = new Set<string>()
  const follow = (name: string): void => {
    const chunk = chunks.get(name)
    if (!chunk || reached.has(name)) return
    reached.add(name)
    chunk.imports.forEach(follow)
  }
  follow(entry.fileName)
  return new Set([...reached].flatMap((name) => chunks.get(name)?.moduleIds ?? []))
}

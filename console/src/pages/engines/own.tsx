/** A page that an engine brings. */
import { useParams } from '@tanstack/react-router'

import { EnginePageView } from '../../plugin-kit/console'
import { EnginePage } from './engine'

export function OwnPage() {
  const { id, _splat } = useParams({ strict: false }) as { id: string; _splat?: string }
  // The address without a rest is the engine itself, for those who look after it.
  if (!_splat) return <EnginePage />
  return <EnginePageView id={id} path={_splat} />
}

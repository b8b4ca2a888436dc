/** A page that an engine brings. */
import { useParams } from '@tanstack/react-router'

import { EnginePageView } from '../../plugin-kit/console'

export function OwnPage() {
  const { id, _splat } = useParams({ strict: false }) as { id: string; _splat?: string }
  return <EnginePageView id={id} path={_splat ?? ''} />
}

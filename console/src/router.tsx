/** Addresses and their pages. A page's code is fetched when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router'

import { Overview } from './pages/overview/page'
import { AcceptInvitation, NotFound, Setup, SignIn } from './pages/signin'
import { Layout } from './shell/layout'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })
const signin = createRoute({ getParentRoute: () => root, path: '/signin', component: SignIn })
// Where the host sends a browser whose sign-in through a provider did not work.
const login = createRoute({ getParentRoute: () => root, path: '/login', component: SignIn })
const invite = createRoute({ getParentRoute: () => root, path: '/invite', component: AcceptInvitation })
const setup = createRoute({ getParentRoute: () => root, path: '/setup', component: Setup })
const layout = createRoute({ getParentRoute: () => root, id: 'layout', component: Layout })

function page<M extends Record<string, unknown>>(path: string, load: () => Promise<M>, name: keyof M & string) {
  return createRoute({ getParentRoute: () => layout, path, component: lazyRouteComponent(load as never, name as never) })
}

const pages = [
  // The first page is there with the frame: it waits for no code of its own.
  createRoute({ getParentRoute: () => layout, path: '/', component: Overview }),
  page('/machines', () => import('./pages/machines/list'), 'Machines'),
  page('/machines/$id', () => import('./pages/machines/machine'), 'MachinePage'),
  page('/software', () => import('./pages/software/list'), 'Software'),
  page('/software/$id', () => import('./pages/software/title'), 'SoftwareTitle'),
  page('/updates', () => import('./pages/software/updates'), 'Updates'),
  page('/changes', () => import('./pages/machines/changes'), 'FleetChanges'),
  page('/approvals', () => import('./pages/machines/approvals'), 'Approvals'),
  page('/operations', () => import('./pages/operations/list'), 'Operations'),
  page('/operations/$id', () => import('./pages/operations/operation'), 'OperationPage'),
  page('/engines', () => import('./pages/engines/list'), 'Engines'),
  page('/engines/$id', () => import('./pages/engines/engine'), 'EnginePage'),
  page('/engines/$id/$', () => import('./pages/engines/own'), 'OwnPage'),
  page('/marketplace', () => import('./pages/marketplace/list'), 'Marketplace'),
  page('/marketplace/$id', () => import('./pages/marketplace/offer'), 'OfferPage'),
  page('/license', () => import('./pages/licence/page'), 'License'),
  page('/users', () => import('./pages/access/users'), 'Users'),
  page('/roles', () => import('./pages/access/roles'), 'Roles'),
  page('/sessions', () => import('./pages/access/sessions'), 'Sessions'),
  page('/tokens', () => import('./pages/access/tokens'), 'Tokens'),
  page('/activity', () => import('./pages/access/activity'), 'Activity'),
  page('/settings', () => import('./pages/settings'), 'Settings'),
  page('/account', () => import('./pages/access/account'), 'Account'),
]

export const router = createRouter({
  routeTree: root.addChildren([signin, login, invite, setup, layout.addChildren(pages)]),
  defaultPreload: 'intent',
  scrollRestoration: true,
})

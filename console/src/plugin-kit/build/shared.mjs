// The modules that console and engines share: the same React, the same design system, the same kit in one page.

/** Bare specifier -> file name of its entry. What stands here an engine's build leaves out; it only grows. */
export const SHARED = {
  react: "react",
  "react/jsx-runtime": "react-jsx-runtime",
  "react-dom": "react-dom",
  "@tanstack/react-query": "tanstack-react-query",
  "@tanstack/react-router": "tanstack-react-router",
  "@mantine/core": "mantine-core",
  "@mantine/hooks": "mantine-hooks",
  "@sysmanage/plugin-kit": "plugin-kit",
};

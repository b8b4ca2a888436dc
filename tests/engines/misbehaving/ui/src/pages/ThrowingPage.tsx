// Throws while it renders, until the address says `?calm`.
import { Text } from "@mantine/core";

export default function ThrowingPage() {
  if (!location.search.includes("calm")) throw new Error("this page throws on purpose");
  return <Text>Calm now.</Text>;
}

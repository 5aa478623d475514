"""Where one's own images come from: a folder, a table, the hub; and the digits that ship."""

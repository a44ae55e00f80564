function envoy_on_request(handle)
  local user = handle:headers():get("x-user-id")
  local hash = 2166136261
  for at = 1, #user do
    hash = bit.bxor(hash, user:byte(at)) * 16777619 % 4294967296
  end
  if hash % 10000 < 500 then handle:headers():add("x-side", "new") end
end

-- The rule of the other peers: 5 % of the users, by a hash of their id.
core.register_action("split", { "http-req" }, function(txn)
  local user = txn.sf:req_hdr("x-user-id")
  if tonumber(txn.c:xxh32(user, 7)) % 10000 < 500 then
    txn:set_var("txn.side", "new")
  end
end)

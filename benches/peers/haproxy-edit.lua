-- One header of the request and one of the reply, as the other peers rewrite them.
core.register_action("edit_request", { "http-req" }, function(txn)
  txn.http:req_set_header("@NAME@", "@EDITED@")
end)
core.register_action("edit_reply", { "http-res" }, function(txn)
  txn.http:res_set_header("@NAME@", "@EDITED@")
end)
